#include "flow/solver/reports.hpp"

#include <algorithm>

#include "flow/solver/dense_output.hpp"

namespace rill::flow {

void Reports::add(std::size_t begin, std::size_t end, const Tensor& x, const Indices& rows) {
  for (std::size_t i = begin; i < end; ++i) {
    reports_[i].parts.push_back(x);
    reports_[i].rows.insert(reports_[i].rows.end(), rows.begin(), rows.end());
  }
}

void Reports::add(const Tableau& method, Field& field, Step& step, std::vector<Passage> passages) {
  // The clocks with points to report inside their step, and the position of each in that list.
  std::vector<Index> inside, place(step.clocks(), -1);
  for (const Passage& passage : passages) {
    if (!passage.inside || place[passage.clock] >= 0) continue;
    place[passage.clock] = static_cast<Index>(inside.size());
    inside.push_back(static_cast<Index>(passage.clock));
  }
  Step dense;
  if (!inside.empty()) {
    if (inside.size() == step.clocks()) prepare_dense_output(method, field, step);  // the next step uses its slope
    dense = select(step, inside);
    prepare_dense_output(method, field, dense);
  }
  Step ends = step;
  ends.k.clear();  // the end of a step needs no slopes

  std::stable_sort(passages.begin(), passages.end(),
                   [](const Passage& a, const Passage& b) { return a.group() < b.group(); });
  for (auto begin = passages.begin(), end = begin; begin != passages.end(); begin = end) {
    std::vector<Index> chosen;
    std::vector<double> theta;
    for (; end != passages.end() && end->group() == begin->group(); ++end) {
      chosen.push_back(end->inside ? place[end->clock] : static_cast<Index>(end->clock));
      theta.push_back(end->theta);
    }
    const Step part = select(begin->inside ? dense : ends, chosen);
    const Tensor x = begin->inside ? interpolate(method, part, theta) : part.x_next;
    add(begin->time, begin->ends ? reports_.size() : begin->time + 1, x, part.rows);
  }
}

std::vector<Tensor> Reports::assembled() const {
  std::vector<Tensor> result;
  for (const auto& [parts, rows] : reports_) {
    if (parts.size() == 1) {
      result.push_back(parts[0]);
      continue;
    }
    std::vector<Index> position(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) position[static_cast<std::size_t>(rows[i])] = static_cast<Index>(i);
    result.push_back(gather_rows(concatenate(parts, 0), Indices(std::move(position))));
  }
  return result;
}

}  // namespace rill::flow
