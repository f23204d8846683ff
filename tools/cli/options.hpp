// What a program can be told, by command line and by configuration file: each option declared once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/real.hpp"
#include "tools/cli/command_line.hpp"
#include "tools/cli/usage_error.hpp"

namespace rill::tools {

/// Throws UsageError, naming the option, when value < least.
void require_at_least(const char* option, double value, double least);

/// Where an option may be given.
enum class Place { kEverywhere, kCommandLine };

/// The options of one program. An option `steps` is --steps on the command line and the key steps in a file, with the
/// same text as its value; in a file, lists stand in brackets and strings in quotes. Every option is a variable that
/// holds its default until read_file() or apply_command_line() changes it.
class Options {
 public:
  /// `summary` is one line, `example` a few lines of commands. The help text calls the program by the name that it was
  /// called by, in the example too.
  Options(std::string program, std::string summary, std::string example);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  /// Options declared from here on stand under this heading in the help text and in files.
  void group(std::string title) { group_ = std::move(title); }

  /// Declares an option. `value` is a std::string, bool (a flag: --name or --name=false), Index, std::uint64_t, double,
  /// or a vector of strings or whole numbers (separated by commas, or given several times), and must outlive this
  /// object. `unit` stands for the value in the help text.
  template <class T>
  void add(const std::string& name, T& value, const std::string& unit, const std::string& help,
           Place place = Place::kEverywhere) {
    bind(name, place, binding(value, unit, help));
  }

  /// Declares an option for every field of a description that people can set. Fields of several descriptions share an
  /// option where its name is the same: it sets all of them, and use() says which of them counts. Where only one thing
  /// of several has these fields, `owner` is its name, and `choice` the option that chooses it, declared before.
  template <Described D>
  void add_fields(D& description, const std::string& choice = "", const std::string& owner = "") {
    D::visit_fields(description, [&](const char* key, auto& field, const Setting& setting) {
      if constexpr (Described<std::remove_cvref_t<decltype(field)>>) {
        add_fields(field, choice, owner);
      } else if (setting.can_be_set() && setting.option_name(key) != choice) {
        bind(setting.option_name(key), Place::kEverywhere, binding(field, setting, choice, owner));
      }
    });
  }
  /// The same for a description whose `kind`, which the option `choice` sets, decides which fields it has: those of
  /// every kind.
  template <Described D>
  void add_fields_of_kinds(D& description, const std::string& choice, const std::vector<std::string>& kinds) {
    const std::string by_default = description.kind;
    for (const std::string& kind : kinds) {
      description.kind = kind;
      add_fields(description, choice, kind);
    }
    description.kind = by_default;
    mark_common_fields(choice, kinds.size());
  }

  /// An argument that has no name. Left empty by default.
  void add_positional(const std::string& name, std::string& value, const std::string& help);

  /// Checks the command line and keeps it. False when --help or --version was asked for, and printed to stdout.
  /// Throws UsageError for unknown options, missing or empty values and the like. (In a file an empty string or list is
  /// a value: hidden = [] makes a linear network.)
  bool read_command_line(int argc, const char* const* argv);
  /// The command line's values of an option, the last one first in force; empty when it was not given.
  std::vector<std::string> given(const std::string& name) const;

  /// Says that these settings change nothing beside the others as they are, and why. To be called after each file, and
  /// once more after apply_command_line(). That call puts them back to their defaults, of which to_toml() makes
  /// comments, and throws UsageError, which names the option or the file, the line and the key, and the reason, where
  /// somebody asked for one in vain: on the command line; or in a file for another value than the default, if that
  /// changed nothing after this file either. (A preset's setting may lose its use by what the command line says.)
  void refuse_unused(const std::vector<std::string>& names, const std::string& reason);

  /// The options with which add_fields() named this one as the choice, and that one itself.
  std::vector<std::string> chosen_by(const std::string& choice) const;

  /// Says that of what add_fields() declared these descriptions count, each with the fields that it has, and no others:
  /// refuses as refuse_unused() does what other owners have, and fields that change nothing (Setting::only). Throws
  /// UsageError for a value that a field cannot have.
  template <Described... D>
  void use(const D&... descriptions) {
    std::vector<FieldInUse> fields;
    (collect(descriptions, fields), ...);
    use_fields(fields);
  }

  /// Sets what the lines of a TOML file say. Throws UsageError, naming the file, the line and the key; FileError when
  /// the file cannot be read.
  void read_file(const std::string& path);
  /// Sets what the command line said.
  void apply_command_line();

  /// Every option that may stand in a file, with its value and its help text as a comment; those that change nothing
  /// are comments, too.
  std::string to_toml() const;

 private:
  using Setter = std::function<void(const std::vector<std::string>&)>;
  using Writer = std::function<std::string()>;
  using Reset = std::function<void()>;
  enum class Kind { kFlag, kValue, kList };
  /// A variable that an option sets.
  struct Binding {
    const void* variable;
    std::string unit, help;
    Kind kind;
    Setter set;                            // throws std::invalid_argument: "expected ..., found ..."
    Writer write;                          // the value in TOML
    Reset reset;                           // to the default
    bool is_field = false;                 // of a description
    std::string choice = {};               // of a field: the option that chooses its owner
    std::vector<std::string> owners = {};  // of a field: whose it is; empty for everyone's
    bool everyones = false;                // of a field: everyone has it who can be chosen
    std::string by_default = {};           // as write() gives it
    std::string error = {};                // why it does not have the value that the option was given

    std::string default_text() const;  // as a person writes it; empty where that goes without saying
  };
  struct FieldInUse {
    const void* variable;
    Only only;
  };
  struct Option;  // the variables of one name

  template <class T>
  static constexpr Kind kind_of() {
    if (std::is_same_v<T, bool>) return Kind::kFlag;
    return std::is_same_v<T, std::vector<std::string>> || std::is_same_v<T, std::vector<Index>> ? Kind::kList
                                                                                                : Kind::kValue;
  }

  template <class T>
  static Binding binding(T& value, const std::string& unit, const std::string& help) {
    return {&value,
            unit,
            help,
            kind_of<T>(),
            setter(value),
            writer(value),
            [&value, by_default = value] { value = by_default; }};
  }
  template <class T>
  static Binding binding(T& value, const Setting& setting, const std::string& choice, const std::string& owner) {
    Binding result = binding(value, setting.unit, help_text(setting));
    result.is_field = true;
    result.choice = choice;
    if (!owner.empty()) result.owners = {owner};
    return result;
  }
  template <Described D>
  static void collect(const D& description, std::vector<FieldInUse>& fields) {
    D::visit_fields(description, [&](const char*, const auto& field, const Setting& setting) {
      if constexpr (Described<std::remove_cvref_t<decltype(field)>>) {
        collect(field, fields);
      } else {
        fields.push_back({&field, setting.only});
      }
    });
  }
  static std::string help_text(const Setting& setting);

  /// Adds the variable to the option of that name, which is declared if there is none.
  void bind(const std::string& name, Place place, Binding binding);
  /// Marks as everyone's the fields that have so many owners.
  void mark_common_fields(const std::string& choice, std::size_t owners);
  Option* find(const std::string& name) const;
  void refuse(Option& option, const std::string& reason);
  void use_fields(const std::vector<FieldInUse>& fields);

  static Setter setter(std::string& value);
  static Setter setter(bool& value);
  static Setter setter(Index& value);
  static Setter setter(std::uint64_t& value);
  static Setter setter(double& value);
  static Setter setter(std::vector<std::string>& value);
  static Setter setter(std::vector<Index>& value);
  static Writer writer(const std::string& value);
  static Writer writer(const bool& value);
  static Writer writer(const Index& value);
  static Writer writer(const std::uint64_t& value);
  static Writer writer(const double& value);
  static Writer writer(const std::vector<std::string>& value);
  static Writer writer(const std::vector<Index>& value);

  std::string program_, summary_, example_;
  std::vector<PositionalArgument> arguments_;
  std::string group_ = "Options";
  std::vector<std::unique_ptr<Option>> options_;
  bool all_read_ = false;  // the command line, too
};

}  // namespace rill::tools
