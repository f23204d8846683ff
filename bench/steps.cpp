// A process that trains and exits: bench_steps WORK STEPS. bench/compare measures the time of one step including the
// start of the program.
#include <cstdlib>
#include <exception>
#include <iostream>

#include "bench/works.hpp"
#include "flow/model/flow_matching.hpp"

int main(int argc, char** argv) {
  using namespace rill;
  if (argc != 3) {
    std::cerr << "usage: bench_steps WORK STEPS\n";
    return 2;
  }
  try {
    const bench::Work& work = bench::work(argv[1]);
    Generator rng(0, 1);
    flow::FlowMatching model(work.model, rng);
    const auto trainer = model.trainer(work.source(work.batch), work.options);
    for (int steps = std::atoi(argv[2]); steps > 0; --steps) trainer->step();
  } catch (const std::exception& error) {
    std::cerr << "bench_steps: " << error.what() << '\n';
    return 2;
  }
}
