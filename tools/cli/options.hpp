// What a program can be told, by command line and by configuration file: each option declared once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "autodiff/real.hpp"
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
    declare(name, unit, help, place, kind_of<T>(), setter(value), writer(value),
            [&value, by_default = value] { value = by_default; });
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
  struct Option {
    std::string name, unit, help, group;
    Place place;
    Kind kind;
    Setter set;                      // throws std::invalid_argument: "expected ..., found ..."
    Writer write;                    // the value in TOML
    Reset reset;                     // to the default
    std::vector<std::string> given;  // on the command line
    std::string place_set = {};      // "c.toml: line 3: " for a value of a file
    bool recent = false;             // in the last file
    bool unused_there = false;       // after the file that set it
    std::string unused = {};         // why it changes nothing, once everything is read
  };
  struct Parser;

  template <class T>
  static constexpr Kind kind_of() {
    if (std::is_same_v<T, bool>) return Kind::kFlag;
    return std::is_same_v<T, std::vector<std::string>> || std::is_same_v<T, std::vector<Index>> ? Kind::kList
                                                                                                : Kind::kValue;
  }

  void declare(const std::string& name, const std::string& unit, const std::string& help, Place place, Kind kind,
               Setter set, Writer write, Reset reset);

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

  std::unique_ptr<Parser> parser_;
  std::string group_ = "Options";
  std::vector<std::unique_ptr<Option>> options_;
  bool all_read_ = false;  // the command line, too
};

}  // namespace rill::tools
