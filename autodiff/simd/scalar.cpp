// The reference: the kernels in plain C++, which stand beside their declarations.
#define RILL_REFERENCE
#include "autodiff/simd/kernels.hpp"
