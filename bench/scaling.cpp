// The scaling study of docs/scaling.md: trains every network on every board, measures it after a sixteenth, an
// eighth, ... and all of the steps, and writes tables (stdout, Markdown) and figures.
//   bench_scaling FOLDER [--threads N] [--steps N]      N steps in all (8192), a multiple of 16
#include <cmath>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <mutex>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "bench/scaling_study.hpp"
#include "tools/plot/line_chart.hpp"
#include "tools/plot/png.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::bench {
namespace {

const std::vector<Index> kWidths = {64, 128, 256};
constexpr tools::Color kColors[] = {tools::kBlue, tools::kTeal, tools::kOrange, tools::kPurple};

struct Arguments {
  std::string folder;
  Index steps = 8192;
};

Arguments parse(const std::vector<std::string>& words) {
  require(words.size() % 2 == 1, "usage: bench_scaling FOLDER [--threads N] [--steps N]");
  Arguments arguments{.folder = words[0]};
  for (std::size_t i = 1; i < words.size(); i += 2) {
    const int number = std::atoi(words[i + 1].c_str());
    if (words[i] == "--threads") {
      set_thread_count(number);
    } else if (words[i] == "--steps") {
      require(number >= 16 && number % 16 == 0, "--steps ", words[i + 1], ": expected a positive multiple of 16");
      arguments.steps = number;
    } else {
      fail("unknown option ", words[i], ": expected --threads or --steps");
    }
  }
  return arguments;
}

/// The boards along one axis of the study, and what became of them.
struct Family {
  std::string name;
  std::vector<Board> boards;
  std::vector<std::vector<Training>> trainings;  ///< by board and width
};

/// Trains everything, each network on one thread, the widest first so that no long one is left for the end.
void run(std::vector<Family>& families, const std::vector<Index>& steps) {
  struct Task {
    const Board* board;
    Index width;
    Training* result;
  };
  std::vector<Task> tasks;
  for (std::size_t w = kWidths.size(); w-- > 0;) {
    for (Family& family : families) {
      family.trainings.resize(family.boards.size(), std::vector<Training>(kWidths.size()));
      for (std::size_t b = 0; b < family.boards.size(); ++b) {
        tasks.push_back({&family.boards[b], kWidths[w], &family.trainings[b][w]});
      }
    }
  }
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run_tasks = [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Task& task = tasks[static_cast<std::size_t>(i)];
      try {
        *task.result = train_and_measure(*task.board, task.width, steps, [&](const Measurement& m) {
          const std::lock_guard lock(mutex);
          std::cerr << task.board->name << ", width " << task.width << ", step " << m.step << ": share in support "
                    << m.share.value << ", KL " << m.kl.value << '\n';
        });
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    }
  };
  parallel_for(static_cast<Index>(tasks.size()), 1, run_tasks);
  if (failure) std::rethrow_exception(failure);
}

/// A quantity that tables and figures show.
struct Measure {
  std::string file, title;
  double (*value)(const Measurement&);
  /// Of a flow that knows where the board is but nothing of its cells: uniform on all of it.
  double without_pattern;
};
const Measure kShare = {"share", "Share in support", [](const Measurement& m) { return m.share.value; }, 0.5};
const Measure kLeast = {"least", "Least-filled cell, its share by its weight",
                        [](const Measurement& m) { return m.filling.least; }, 0.5};
const Measure kKl = {"kl", "KL(data | flow), nats", [](const Measurement& m) { return m.kl.value; }, std::numbers::ln2};
const Measure kMeasures[] = {kShare, kLeast, kKl};

std::string cell(double value, int decimals = 3) {
  return std::isfinite(value) ? tools::format_fixed(value, decimals) : "-";
}

/// One row for each board and width: after the last step, with the values of a perfect sample.
void print_results(const std::vector<Family>& families) {
  std::cout << "| board | occupied | width | share in support | least-filled cell | of a perfect sample "
               "| cells touched | of a perfect sample | KL, nats | seconds |\n"
               "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Family& family : families) {
    for (std::size_t b = 0; b < family.boards.size(); ++b) {
      const Board& board = family.boards[b];
      const Filling perfect = perfect_filling(board);
      for (std::size_t w = 0; w < kWidths.size(); ++w) {
        const Training& training = family.trainings[b][w];
        const Measurement& last = training.measurements.back();
        std::cout << "| " << board.name << " | " << board.density.mode_weights().size() << " | " << kWidths[w] << " | "
                  << cell(last.share.value) << " | " << cell(last.filling.least, 2) << " | " << cell(perfect.least, 2)
                  << " | " << cell(last.filling.touched) << " | " << cell(perfect.touched) << " | "
                  << cell(last.kl.value) << " ± " << cell(last.kl.standard_error) << " | " << cell(training.seconds, 0)
                  << " |\n";
      }
    }
  }
}

/// One row for each board and width, one column for each number of steps.
void print_by_steps(const std::vector<Family>& families, const std::vector<Index>& steps, const Measure& measure) {
  std::cout << '\n' << measure.title << ", after so many steps:\n\n| board | width |";
  for (const Index step : steps) std::cout << ' ' << step << " |";
  std::cout << "\n| --- | --- |";
  for (std::size_t i = 0; i < steps.size(); ++i) std::cout << " --- |";
  std::cout << '\n';
  for (const Family& family : families) {
    for (std::size_t b = 0; b < family.boards.size(); ++b) {
      for (std::size_t w = 0; w < kWidths.size(); ++w) {
        std::cout << "| " << family.boards[b].name << " | " << kWidths[w] << " |";
        for (const Measurement& m : family.trainings[b][w].measurements) {
          std::cout << ' ' << cell(measure.value(m)) << " |";
        }
        std::cout << '\n';
      }
    }
  }
}

/// One line for each board, and a gray one for a flow that learned no pattern.
void draw(const std::string& file, const Family& family, const Measure& measure, const std::string& x_label,
          const std::vector<Index>& x, const std::function<const Measurement&(std::size_t board, std::size_t i)>& at) {
  std::vector<tools::Series> lines;
  for (std::size_t b = 0; b < family.boards.size(); ++b) {
    tools::Series line{family.boards[b].name, {}, kColors[b]};
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double value = measure.value(at(b, i));
      if (std::isfinite(value)) line.points.push_back({static_cast<double>(x[i]), value});
    }
    if (!line.points.empty()) lines.push_back(line);
  }
  lines.push_back({"no pattern",
                   {{static_cast<double>(x.front()), measure.without_pattern},
                    {static_cast<double>(x.back()), measure.without_pattern}},
                   tools::kGray});
  tools::write_png(file, tools::line_chart(lines, {.title = measure.title,
                                                   .x_label = x_label,
                                                   .log2_x = true,
                                                   .names_beside = true,
                                                   .width = 300,
                                                   .height = 200}));
}

void draw_all(const Family& family, const std::vector<Index>& steps, const std::string& folder) {
  const std::string start = folder + "/scaling-" + family.name + "-";
  for (const Measure& measure : kMeasures) {
    draw(start + measure.file + "-steps.png", family, measure, concat("training steps, at width ", kWidths.back()),
         steps, [&](std::size_t board, std::size_t i) -> const Measurement& {
           return family.trainings[board].back().measurements[i];
         });
  }
  draw(start + "kl-width.png", family, kKl, concat("width, after ", steps.back(), " training steps"), kWidths,
       [&](std::size_t board, std::size_t i) -> const Measurement& {
         return family.trainings[board][i].measurements.back();
       });
}

void study(const Arguments& arguments) {
  std::filesystem::create_directories(arguments.folder);
  std::vector<Index> steps;
  for (const Index part : {16, 8, 4, 2, 1}) steps.push_back(arguments.steps / part);
  std::vector<Family> families = {{"squares", boards_of_squares(), {}}, {"dimensions", boards_of_dimensions(), {}}};
  run(families, steps);
  print_results(families);
  for (const Measure& measure : kMeasures) print_by_steps(families, steps, measure);
  for (const Family& family : families) draw_all(family, steps, arguments.folder);
}

}  // namespace
}  // namespace rill::bench

int main(int argc, char** argv) {
  try {
    rill::bench::study(rill::bench::parse({argv + 1, argv + argc}));
  } catch (const std::invalid_argument& error) {
    std::cerr << "bench_scaling: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "bench_scaling: " << error.what() << '\n';
    return 1;
  }
}
