// Draws the figures that explain flow matching.
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/outputs.hpp"
#include "tools/cli/program.hpp"
#include "tools/cli/text.hpp"
#include "tools/figures/figure.hpp"

namespace rill::tools {
namespace {

std::vector<std::string> figure_names() {
  std::vector<std::string> names;
  for (const FigureKind& kind : figure_kinds()) names.emplace_back(kind.name);
  return names;
}

// Draws one figure; the words are the command line after its name.
int draw(const FigureKind& kind, const std::string& called, const std::vector<std::string>& words) {
  const std::unique_ptr<Figure> figure = kind.make();
  std::string out = kind.documents.empty() ? concat(kind.name, ".gif") : kind.documents.front().file, config;
  std::uint64_t seed = 0;
  Index threads = 0;
  Options options(concat("visualize ", kind.name), kind.summary,
                  concat("  visualize ", kind.name, "\n  visualize ", kind.name, " --out ", kind.name,
                         ".png   # moments side by side instead of a film"));
  figure->declare(options);
  options.group("Options");
  options.add("out", out, "FILE", "a film (.gif), or a picture of it (.png)", Place::kCommandLine);
  options.add("seed", seed, "NUMBER", "fixes everything random");
  options.add("threads", threads, "COUNT", "0 for one per available core");
  options.add("config", config, "FILE", "start from the settings in a TOML file", Place::kCommandLine);
  std::vector<const char*> argv = {called.c_str()};
  for (const std::string& word : words) argv.push_back(word.c_str());
  if (!options.read_command_line(static_cast<int>(argv.size()), argv.data())) return kDone;
  for (const std::string& file : options.given("config")) options.read_file(file);
  options.apply_command_line();
  use_threads(threads);
  check_outputs({{"out", out, {".gif", ".png"}}}, {});
  const auto start = std::chrono::steady_clock::now();
  write_film(out, figure->draw(seed));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::cerr << "wrote " << out << " (" << grouped(static_cast<Index>(std::filesystem::file_size(out) / 1024)) << " kB, "
            << duration(taken.count()) << ")" << std::endl;
  return kDone;
}

// Draws every figure of the docs into a folder.
int draw_all(const std::string& called, const std::vector<std::string>& words) {
  std::string folder = "docs/figures";
  Options options("visualize all", "Draws every figure of the docs.", "  visualize all --out docs/figures");
  options.add("out", folder, "FOLDER", "where they go", Place::kCommandLine);
  std::vector<const char*> argv = {called.c_str()};
  for (const std::string& word : words) argv.push_back(word.c_str());
  if (!options.read_command_line(static_cast<int>(argv.size()), argv.data())) return kDone;
  options.apply_command_line();
  std::filesystem::create_directories(folder);
  for (const FigureKind& kind : figure_kinds()) {
    for (const DocumentFigure& document : kind.documents) {
      std::vector<std::string> own = document.options;
      own.insert(own.end(), {"--out", folder + "/" + document.file});
      draw(kind, called, own);
    }
  }
  return kDone;
}

void print_help(const std::string& program) {
  std::cout << "usage: " << program << " FIGURE [OPTION...]\n\n"
            << "Draws the figures that explain flow matching, as films (.gif) or pictures (.png).\n\n"
            << "Figures (" << program << " FIGURE --help lists its options):\n";
  for (const FigureKind& kind : figure_kinds()) {
    std::cout << "  " << kind.name << std::string(14 - std::string(kind.name).size(), ' ') << kind.summary << '\n';
  }
  std::cout << "  all           Every figure of the docs, into the folder of --out.\n";
}

int visualize(int argc, const char* const* argv) {
  const std::string program = program_name(argv[0]);
  const std::string name = argc > 1 ? argv[1] : "--help";
  if (name == "--help" || name == "-h") {
    print_help(program);
    return kDone;
  }
  std::vector<std::string> words(argv + 2, argv + argc);
  const std::string called = program + " " + name;
  if (name == "all") return draw_all(called, words);
  for (const FigureKind& kind : figure_kinds()) {
    if (name == kind.name) return draw(kind, called, words);
  }
  throw UsageError(concat(unknown_name("figure", name, figure_names()), ", all; try ", program, " --help"));
}

}  // namespace
}  // namespace rill::tools

int main(int argc, char** argv) {
  return rill::tools::run_program(argv[0], [&] { return rill::tools::visualize(argc, argv); });
}
