// The options of a program, on the command line and in configuration files: each declared once.
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

/// Throws UsageError, naming the option, if value < least.
void require_at_least(const char* option, double value, double least);

/// Where an option may be given.
enum class Place { kEverywhere, kCommandLine };

/// The options of one program. An option `steps` is --steps on the command line and the key `steps` in a file, with the
/// same value syntax, except that a file has lists in brackets and strings in quotes. Every option is a variable that
/// holds its default until read_file() or apply_command_line() changes it.
class Options {
 public:
  /// `summary` is one line, `example` a few lines of commands. The help text and the example use the name by which the
  /// program was called.
  Options(std::string program, std::string summary, std::string example);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  /// Puts options declared after this call under this heading, in the help text and in files.
  void group(std::string title) { group_ = std::move(title); }

  /// Declares an option. `value` is a std::string, bool (a flag: --name or --name=false), Index, std::uint64_t, double,
  /// or a vector of strings or whole numbers (separated by commas, or given several times), and must outlive this
  /// object. `unit` is the placeholder for the value in the help text.
  template <class T>
  void add(const std::string& name, T& value, const std::string& unit, const std::string& help,
           Place place = Place::kEverywhere) {
    bind(name, place, binding(value, unit, help));
  }

  /// Declares an option for every field of a description that can be set. Fields of several descriptions with the same
  /// name share an option: it sets all of them, and use() says which one is in use. If only one of several alternatives
  /// has these fields, `owner` is its name, and `choice` the option that selects it, declared before.
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
  /// The same for a description whose fields depend on its `kind`, which the option `choice` sets: declares the fields
  /// of every kind.
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

  /// An argument without a name. Empty by default.
  void add_positional(const std::string& name, std::string& value, const std::string& help);

  /// Checks the command line and keeps it. False if --help or --version was given, and printed to stdout.
  /// Throws UsageError for unknown options, missing or empty values and the like. (In a file an empty string or list is
  /// valid: hidden = [] makes a linear network.)
  bool read_command_line(int argc, const char* const* argv);
  /// The values of an option on the command line, of which the last takes precedence; empty if it was not given.
  std::vector<std::string> given(const std::string& name) const;

  /// Declares that these settings have no effect, given the others, and why. Call it after each file, and once more
  /// after apply_command_line(). That last call resets them to their defaults, which to_toml() writes as comments, and
  /// throws UsageError, naming the option (or the file, line and key) and the reason, if one was set in vain: on the
  /// command line; or in a file, to another value than the default, if it had no effect right after that file either.
  /// (The command line may override a preset so that one of its settings loses its effect.)
  void refuse_unused(const std::vector<std::string>& names, const std::string& reason);

  /// This option, and those that add_fields() declared with it as the choice.
  std::vector<std::string> chosen_by(const std::string& choice) const;

  /// Declares that of the descriptions of add_fields() only these are in use, each with the fields that it has. Fields
  /// of other owners, and fields without effect (Setting::only), are refused as by refuse_unused(). Throws UsageError
  /// for a value that a field cannot have.
  template <Described... D>
  void use(const D&... descriptions) {
    std::vector<FieldInUse> fields;
    (collect(descriptions, fields), ...);
    use_fields(fields);
  }

  /// Applies the settings of a TOML file. Throws UsageError, naming the file, the line and the key; FileError if the
  /// file cannot be read.
  void read_file(const std::string& path);
  /// Applies the settings of the command line.
  void apply_command_line();

  /// Every option that a file may set, with its value, and its help text as a comment; those without effect are
  /// commented out.
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
    std::vector<std::string> owners = {};  // of a field: the alternatives that have it; empty for all
    bool everyones = false;                // of a field: every alternative has it
    std::string by_default = {};           // as written by write()
    std::string error = {};                // why it does not accept the option's value

    std::string default_text() const;  // as a user would write it; empty if it goes without saying
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

  /// Adds the variable to the option of that name, which it declares if there is none.
  void bind(const std::string& name, Place place, Binding binding);
  /// Marks the fields that have this many owners as everyone's.
  void mark_common_fields(const std::string& choice, std::size_t owners);
  Option* find(const std::string& name) const;
  void refuse(Option& option, const std::string& reason);
  std::string whose(const Option& option) const;
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
  bool all_read_ = false;  // including the command line
};

}  // namespace rill::tools
