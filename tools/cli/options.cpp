#include "tools/cli/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/program.hpp"
#include "tools/cli/toml.hpp"
#include "tools/cli/version.hpp"

namespace rill::tools {

void require_at_least(const char* option, double value, double least) {
  if (value < least) {
    throw UsageError(concat("--", option, ": expected ", exact(least), " or more, got ", exact(value)));
  }
}

namespace {

// With `to` in the place of every `from`.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

}  // namespace

/// CLI11 splits the command line into options and their texts, and formats the help. What the texts mean is decided
/// here, so that a file's mistakes read like those of the command line.
struct Options::Parser {
  CLI::App app;
  std::string program, example;

  Parser(const std::string& program_name, const std::string& summary, const std::string& example_text)
      : app(summary, program_name), program(program_name), example(example_text) {
    app.allow_extras();
    app.set_help_flag("-h,--help", "print this text");
    app.set_version_flag("--version", version_text(), "print the version");
    app.get_formatter()->column_width(34);
  }
};

Options::Options(std::string program, std::string summary, std::string example)
    : parser_(std::make_unique<Parser>(program, summary, example)) {}

Options::~Options() = default;

void Options::declare(const std::string& name, const std::string& unit, const std::string& help, Place place, Kind kind,
                      Setter set, Writer write, Reset reset) {
  options_.push_back(std::make_unique<Option>(
      Option{name, unit, help, group_, place, kind, std::move(set), std::move(write), std::move(reset), {}}));
  Option* option = options_.back().get();
  CLI::App& app = parser_->app;
  const bool flag = kind == Kind::kFlag;  // CLI11 takes its text from --name=text, "true" without one
  const auto keep = [option](const CLI::results_t& texts) {
    option->given = texts;
    return true;
  };
  std::string shown = flag ? "" : option->write();
  std::erase_if(shown, [](char c) { return c == '"' || c == '[' || c == ']' || c == ' '; });
  app.add_option("--" + name, keep, !shown.empty() ? help + " [" + shown + "]" : help)
      ->type_name(unit)
      ->group(group_)
      ->expected(flag ? 0 : 1)
      ->multi_option_policy(flag ? CLI::MultiOptionPolicy::TakeLast : CLI::MultiOptionPolicy::TakeAll);
}

void Options::add_positional(const std::string& name, std::string& value, const std::string& help) {
  parser_->app.add_option(name, value, help)->type_name("");
}

bool Options::read_command_line(int argc, const char* const* argv) {
  CLI::App& app = parser_->app;
  const std::string called = program_name(argv[0]);
  app.name(called);
  app.footer("Example:\n" + replaced(parser_->example, concat("  ", parser_->program, " "), concat("  ", called, " ")));
  // An unset variable of a shell, as in --resume "$folder" or --resume=$folder, must not be taken for no option.
  const auto require_text = [](const std::string& name, std::string_view text) {
    if (text.empty())
      throw UsageError(concat("--", name, ": expected a value, found ''; leave it out for the default"));
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    for (const auto& option : options_) {
      if (word == concat("--", option->name, "=")) require_text(option->name, "");  // CLI11 would take the next word
    }
  }
  try {
    app.parse(argc, argv);
    for (const auto& option : options_) {
      for (const std::string& text : option->given) require_text(option->name, text);
    }
    std::vector<std::string> extras = app.remaining();
    std::erase(extras, "--");  // which ends the options, and CLI11 leaves
    if (extras.empty()) return true;
    const std::string& extra = extras.front();
    if (!extra.starts_with("-")) throw UsageError(concat("unexpected argument ", in_quotes(extra)));
    std::vector<std::string> known = {"--help", "--version"};
    for (const auto& option : options_) known.push_back("--" + option->name);
    throw UsageError(
        concat("unknown option ", in_quotes(extra), did_you_mean(extra.substr(0, extra.find('=')), known)));
  } catch (const CLI::CallForHelp&) {
    std::cout << parser_->app.help();
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

std::vector<std::string> Options::given(const std::string& name) const {
  for (const auto& option : options_) {
    if (option->name == name) return option->given;
  }
  return {};
}

void Options::refuse_unused(const std::vector<std::string>& names, const std::string& reason) {
  for (const auto& option : options_) {
    if (std::find(names.begin(), names.end(), option->name) == names.end()) continue;
    if (!all_read_) {
      if (option->recent) option->unused_there = true;
      continue;
    }
    if (!option->given.empty()) throw UsageError(concat("--", option->name, ": ", reason));
    const std::string value = option->write();
    option->reset();
    option->unused = reason;
    if (!option->place_set.empty() && option->unused_there && value != option->write()) {
      throw UsageError(concat(option->place_set, option->name, ": ", reason, "; remove the line"));
    }
  }
}

void Options::read_file(const std::string& path) {
  const std::string text = ::rill::read_file(path);
  for (const auto& option : options_) option->recent = false;
  std::vector<std::string> keys;
  for (const auto& option : options_) {
    if (option->place == Place::kEverywhere) keys.push_back(option->name);
  }
  try {
    for (const TomlEntry& entry : parse_toml(text, path)) {
      const auto where = concat(path, ": line ", entry.line, ": ");
      const auto option = std::find_if(options_.begin(), options_.end(), [&](const auto& o) {
        return o->name == entry.key && o->place == Place::kEverywhere;
      });
      if (option == options_.end()) fail(where, "unknown key '", entry.key, "'", did_you_mean(entry.key, keys));
      const bool single = entry.values.size() == 1 || (*option)->kind == Kind::kList;
      require(single, where, entry.key, ": expected one value, found a list of ", entry.values.size());
      try {
        (*option)->set(entry.values);
        (*option)->place_set = where;
        (*option)->recent = true;
        (*option)->unused_there = false;
      } catch (const std::invalid_argument& error) {
        fail(where, entry.key, ": ", error.what());
      }
    }
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

void Options::apply_command_line() {
  all_read_ = true;
  for (const auto& option : options_) {
    if (option->given.empty()) continue;
    try {
      option->set(option->given);
    } catch (const std::invalid_argument& error) {
      throw UsageError(concat("--", option->name, ": ", error.what()));
    }
  }
}

std::string Options::to_toml() const {
  std::string text, group;
  for (const auto& option : options_) {
    if (option->place != Place::kEverywhere) continue;
    if (option->group != group) text += concat(text.empty() ? "" : "\n", "# ", group = option->group, "\n");
    const bool unused = !option->unused.empty();
    text += concat(unused ? "# " : "", option->name, " = ", option->write(), "  # ",
                   unused ? option->unused : option->help, "\n");
  }
  return text;
}

}  // namespace rill::tools
