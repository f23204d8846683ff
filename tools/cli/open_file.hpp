// Files that are kept open, and what others do to their names meanwhile.
#pragma once

#include <string>

namespace rill::tools {

/// The number of an open file, which it closes at its end; -1 for none.
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

/// False once somebody has removed the open file, or put another one in its place; also for none.
bool names_open_file(const std::string& path, int descriptor);

}  // namespace rill::tools
