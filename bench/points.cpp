// Draws points of a density, and measures the distance between two sets of points: for programs in other languages that
// are compared with ours on the same data.
//   bench_points draw moons 10000 0 moons.npy    the density's name, the number of points, the seed
//   bench_points w2 a.npy b.npy                  prints the 2-Wasserstein distance
#include <iostream>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"
#include "datasets/known_densities.hpp"
#include "datasets/npy.hpp"
#include "flow/metrics/metrics.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 5 && words[0] == "draw") {
      rill::Generator rng(std::stoull(words[3]));
      rill::datasets::write_npy(words[4], rill::datasets::make_density(words[1])->sample(std::stoll(words[2]), rng));
    } else if (words.size() == 3 && words[0] == "w2") {
      const auto a = rill::datasets::read_npy(words[1]), b = rill::datasets::read_npy(words[2]);
      std::cout << rill::flow::wasserstein2(a.to_tensor(), b.to_tensor()).value << '\n';
    } else {
      rill::fail("usage: bench_points draw DENSITY COUNT SEED FILE.npy | bench_points w2 A.npy B.npy");
    }
  } catch (const std::exception& error) {
    std::cerr << "bench_points: " << error.what() << '\n';
    return 1;
  }
}
