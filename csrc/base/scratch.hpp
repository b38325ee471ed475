// Memory for the duration of one kernel call. Tens of megabytes fresh from the system cost more to
// touch for the first time than many kernels take, so the last block is kept for the next call.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

class Scratch {
  public:
    explicit Scratch(i64 bytes); // uninitialised, begins at a cache line
    ~Scratch();
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;
    void *data() const { return data_; }

  private:
    void *data_;
    i64 bytes_;
};

} // namespace pyrad
