#include "tools/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/program.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/cli/version.hpp"

namespace rill::tools {
namespace {

// The text with every `from` replaced by `to`.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

// An unset shell variable, as in --resume "$folder" or --resume=$folder, must not be taken for a missing option.
void require_text(const std::string& name, std::string_view text) {
  if (text.empty()) throw UsageError(concat("--", name, ": expected a value, found ''; leave it out for the default"));
}

}  // namespace

// CLI11 only splits the words and formats the help. The values are parsed elsewhere, so that errors in a file read like
// those of the command line.
bool CommandLine::parse(int argc, const char* const* argv) {
  const std::string called = program_name(argv[0]);
  CLI::App app(summary, called);
  app.allow_extras();
  app.set_help_flag("-h,--help", "print this text");
  app.set_version_flag("--version", version_text(), "print the version");
  app.get_formatter()->column_width(34);
  app.footer("Example:\n" + replaced(example, concat("  ", program, " "), concat("  ", called, " ")));
  for (CommandLineOption& option : options) {
    const auto keep = [&option](const CLI::results_t& texts) {
      option.given = texts;
      return true;
    };
    app.add_option("--" + option.name, keep, option.help)
        ->type_name(option.unit)
        ->group(option.group)
        ->expected(option.is_flag ? 0 : 1)  // a flag's value is that of --name=value, or "true"
        ->multi_option_policy(option.is_flag ? CLI::MultiOptionPolicy::TakeLast : CLI::MultiOptionPolicy::TakeAll);
  }
  for (const auto& [name, help, value] : arguments) app.add_option(name, *value, help)->type_name("");

  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    for (const CommandLineOption& option : options) {
      if (word == concat("--", option.name, "=")) require_text(option.name, "");  // CLI11 would take the next word
    }
  }
  try {
    app.parse(argc, argv);
    for (const CommandLineOption& option : options) {
      for (const std::string& text : option.given) require_text(option.name, text);
    }
    std::vector<std::string> extras = app.remaining();
    std::erase(extras, "--");  // CLI11 leaves the -- that ends the options
    if (extras.empty()) return true;
    const std::string& extra = extras.front();
    if (!extra.starts_with("-")) throw UsageError(concat("unexpected argument ", in_quotes(extra)));
    std::vector<std::string> known = {"--help", "--version"};
    for (const CommandLineOption& option : options) known.push_back("--" + option.name);
    throw UsageError(
        concat("unknown option ", in_quotes(extra), did_you_mean(extra.substr(0, extra.find('=')), known)));
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return false;
  } catch (const CLI::CallForVersion&) {
    std::cout << version_text() << '\n';
    return false;
  } catch (const CLI::ArgumentMismatch& error) {  // "--seed: 1 required NUMBER missing"
    const std::string message = error.what();
    throw UsageError(concat(message.substr(0, message.find(':')), ": expected a value after it"));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace rill::tools
