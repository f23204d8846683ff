// What every test includes, compiled once for each program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
