// The reference: the kernels in plain C++, which are defined beside their declarations.
#define RILL_REFERENCE
#include "autodiff/simd/kernels.hpp"
