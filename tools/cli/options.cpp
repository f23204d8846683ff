#include "tools/cli/options.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/command_line.hpp"
#include "tools/cli/toml.hpp"

namespace rill::tools {

void require_at_least(const char* option, double value, double least) {
  if (value < least) {
    throw UsageError(concat("--", option, ": expected ", exact(least), " or more, got ", exact(value)));
  }
}

std::string Options::Binding::default_text() const {
  if (by_default == "false") return "";
  std::string text = by_default;
  std::erase_if(text, [](char c) { return c == '"' || c == '[' || c == ']' || c == ' '; });
  return text;
}

/// A name and what it sets: one variable, or a field in each of several descriptions, one of which is in use.
struct Options::Option {
  std::string name, group;
  Place place;
  std::vector<Binding> bindings = {};
  std::size_t counts = 0;               // index of the one in use
  std::vector<std::string> given = {};  // on the command line
  std::string place_set = {};           // "c.toml: line 3: " for a value from a file
  bool recent = false;                  // in the last file
  bool unused_there = false;            // right after the file that set it
  std::string unused = {};              // why it has no effect, once everything is read

  const Binding& binding() const { return bindings[counts]; }

  // Sets every variable that accepts this value; throws std::invalid_argument if none does. An option that is given
  // several times takes the last value, but a list in a file is an error.
  void set(const std::vector<std::string>& texts, bool is_list) {
    bool any = false;
    for (Binding& binding : bindings) {
      binding.error.clear();
      try {
        const bool fits = !is_list || texts.size() == 1 || binding.kind == Kind::kList;
        require(fits, "expected one value, found a list of ", texts.size());
        binding.set(texts);
        any = true;
      } catch (const std::invalid_argument& error) {
        binding.error = error.what();
      }
    }
    if (!any) fail(bindings.front().error);
  }

  // The help text after the name: "unet: residual blocks of a level [1]; dit: transformer blocks [6]", or, if they
  // share a text, "unet, dit: heads of attention [1; dit 4]".
  std::string help() const {
    std::vector<std::string> parts, owners, names, values;  // names[i] have the default values[i]
    for (std::size_t i = 0; i < bindings.size(); ++i) {
      const Binding& binding = bindings[i];
      const std::string by_default = binding.default_text(), own = joined(binding.owners);
      if (!binding.everyones) owners.insert(owners.end(), binding.owners.begin(), binding.owners.end());
      if (!values.empty() && values.back() == by_default) {
        names.back() += concat(", ", own);
      } else if (!by_default.empty()) {
        names.push_back(own);
        values.push_back(by_default);
      }
      if (i + 1 < bindings.size() && bindings[i + 1].help == binding.help) continue;
      std::string defaults;  // the first one's names go without saying
      for (std::size_t k = 0; k < values.size(); ++k) {
        defaults += k == 0 ? values[k] : concat("; ", names[k], " ", values[k]);
      }
      parts.push_back(concat(joined(owners), owners.empty() ? "" : ": ", binding.help,
                             defaults.empty() ? "" : concat(" [", defaults, "]")));
      owners.clear(), names.clear(), values.clear();
    }
    return joined(parts, "; ");
  }
};

Options::Options(std::string program, std::string summary, std::string example)
    : program_(std::move(program)), summary_(std::move(summary)), example_(std::move(example)) {}

Options::~Options() = default;

std::string Options::help_text(const Setting& setting) {
  std::string text;
  if (!setting.only.values.empty()) {
    for (const char* value : setting.only.values) text += concat(text.empty() ? "" : ", ", value);
    text += ": ";
  }
  if (*setting.only.needs != '\0') text = concat("with ", setting.only.needs, ": ");
  if (*setting.data != '\0') text += concat(setting.data, ": ");
  text += setting.help;
  if (setting.names != nullptr) text += concat(*setting.help != '\0' ? ": " : "", joined(setting.names()));
  return text;
}

Options::Option* Options::find(const std::string& name) const {
  const auto found = std::find_if(options_.begin(), options_.end(), [&](const auto& o) { return o->name == name; });
  return found == options_.end() ? nullptr : found->get();
}

void Options::bind(const std::string& name, Place place, Binding binding) {
  binding.by_default = binding.write();
  if (Option* known = find(name)) {
    for (Binding& other : known->bindings) {
      if (other.variable != binding.variable) continue;
      other.owners.insert(other.owners.end(), binding.owners.begin(), binding.owners.end());
      return;
    }
    known->bindings.push_back(std::move(binding));
    return;
  }
  options_.push_back(std::make_unique<Option>(Option{.name = name, .group = group_, .place = place}));
  options_.back()->bindings.push_back(std::move(binding));
}

void Options::add_positional(const std::string& name, std::string& value, const std::string& help) {
  arguments_.push_back({name, help, &value});
}

bool Options::read_command_line(int argc, const char* const* argv) {
  CommandLine line{program_, summary_, example_, {}, arguments_};
  for (const auto& option : options_) {
    const Binding& binding = option->bindings.front();
    line.options.push_back({option->name, binding.unit, option->help(), option->group, binding.kind == Kind::kFlag});
  }
  if (!line.parse(argc, argv)) return false;
  for (std::size_t i = 0; i < options_.size(); ++i) options_[i]->given = line.options[i].given;
  return true;
}

std::vector<std::string> Options::given(const std::string& name) const {
  const Option* option = find(name);
  return option != nullptr ? option->given : std::vector<std::string>();
}

void Options::refuse_unused(const std::vector<std::string>& names, const std::string& reason) {
  for (const std::string& name : names) {
    if (Option* option = find(name)) refuse(*option, reason);
  }
}

void Options::refuse(Option& option, const std::string& reason) {
  if (!all_read_) {
    if (option.recent) option.unused_there = true;
    return;
  }
  if (!option.given.empty()) throw UsageError(concat("--", option.name, ": ", reason));
  // A value that turns a feature off is harmless.
  const auto asks = [](const Binding& binding) {
    const std::string value = binding.write();
    const bool off = value == "0" || value == "false" || value == "[]" || value == "\"\"";
    return !off && binding.error.empty() && value != binding.by_default;
  };
  const bool in_vain = std::any_of(option.bindings.begin(), option.bindings.end(), asks);
  for (Binding& binding : option.bindings) binding.reset();
  if (option.unused.empty()) option.unused = reason;
  if (!option.place_set.empty() && option.unused_there && in_vain) {
    throw UsageError(concat(option.place_set, option.name, ": ", reason, "; remove the line"));
  }
}

void Options::mark_common_fields(const std::string& choice, std::size_t owners) {
  for (const auto& option : options_) {
    for (Binding& binding : option->bindings) {
      if (binding.choice == choice && binding.owners.size() == owners) binding.everyones = true;
    }
  }
}

std::vector<std::string> Options::chosen_by(const std::string& choice) const {
  std::vector<std::string> names = {choice};
  for (const auto& option : options_) {
    if (option->bindings.front().choice == choice) names.push_back(option->name);
  }
  return names;
}

// "is for unet, but --model is mlp", or, for an option with owners of two kinds, "is for --model unet or --family vae,
// but these are mlp and diffusion".
std::string Options::whose(const Option& option) const {
  std::vector<std::string> choices, owners, chosen;  // one for each kind of owner
  for (const Binding& binding : option.bindings) {
    if (choices.empty() || choices.back() != binding.choice) {
      choices.push_back(binding.choice);
      owners.emplace_back();
      chosen.push_back(find(binding.choice)->binding().write());
      std::erase(chosen.back(), '"');
    }
    owners.back() += concat(owners.back().empty() ? "" : ", ", joined(binding.owners));
  }
  if (choices.size() == 1) return concat("is for ", owners[0], ", but --", choices[0], " is ", chosen[0]);
  for (std::size_t i = 0; i < choices.size(); ++i) owners[i] = concat("--", choices[i], " ", owners[i]);
  return concat("is for ", joined(owners, " or "), ", but these are ", joined(chosen, " and "));
}

void Options::use_fields(const std::vector<FieldInUse>& fields) {
  const auto in_use = [&](const Binding& binding) {
    return std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.variable == binding.variable; });
  };
  for (const auto& option : options_) {
    std::vector<Binding>& bindings = option->bindings;
    if (!bindings.front().is_field || !option->unused.empty()) continue;
    const auto found = std::find_if(bindings.begin(), bindings.end(),
                                    [&](const Binding& binding) { return in_use(binding) != fields.end(); });
    if (found == bindings.end()) {
      if (bindings.front().choice.empty())
        continue;  // the caller that left it out gives the reason, by refuse_unused()
      refuse(*option, whose(*option));
      continue;
    }
    option->counts = static_cast<std::size_t>(found - bindings.begin());
    if (const Only& only = in_use(*found)->only; !only.holds()) {
      const std::vector<std::string> values(only.values.begin(), only.values.end());
      refuse(*option, *only.needs != '\0'
                          ? concat("needs ", only.needs)
                          : concat("is for ", joined(values), ", but --", only.option, " is ", only.chosen));
    }
    if (!all_read_) continue;
    if (!found->error.empty()) {
      const std::string where = option->given.empty() ? option->place_set + option->name : "--" + option->name;
      throw UsageError(concat(where, ": ", found->error));
    }
    for (Binding& binding : bindings) {
      if (&binding != &*found) binding.reset();
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
      Option* option = find(entry.key);
      if (option == nullptr || option->place != Place::kEverywhere) {
        fail(where, "unknown key '", entry.key, "'", did_you_mean(entry.key, keys));
      }
      try {
        option->set(entry.values, true);
        option->place_set = where;
        option->recent = true;
        option->unused_there = false;
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
      option->set(option->given, false);
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
    text += concat(unused ? "# " : "", option->name, " = ", option->binding().write(), "  # ",
                   unused ? option->unused : option->binding().help, "\n");
  }
  return text;
}

}  // namespace rill::tools
