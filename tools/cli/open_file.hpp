// Open files, and whether their names still lead to them.
#pragma once

#include <string>

namespace rill::tools {

/// Owns a file descriptor; -1 for none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

/// False if the open file has been removed or replaced by another; also for none.
bool names_open_file(const std::string& path, int descriptor);

}  // namespace rill::tools
