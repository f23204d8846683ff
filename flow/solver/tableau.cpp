#include "flow/solver/tableau.hpp"

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"

namespace rill::flow {

constinit const Tableau kEuler = {"euler", 1, 1, {}, {1}, {0}};

constinit const Tableau kMidpoint = {"midpoint", 2, 2, {{{}, {0.5}}}, {0, 1}, {0, 0.5}};

constinit const Tableau kHeun2 = {"heun2", 2, 2, {{{}, {1}}}, {0.5, 0.5}, {0, 1}};

constinit const Tableau kRalston = {"ralston", 2, 2, {{{}, {2.0 / 3}}}, {0.25, 0.75}, {0, 2.0 / 3}};

constinit const Tableau kHeun3 = {
    "heun3", 3, 3, {{{}, {1.0 / 3}, {0, 2.0 / 3}}}, {0.25, 0, 0.75}, {0, 1.0 / 3, 2.0 / 3}};

constinit const Tableau kRk4 = {
    "rk4", 4, 4, {{{}, {0.5}, {0, 0.5}, {0, 0, 1}}}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}, {0, 0.5, 0.5, 1}};

constinit const Tableau kRk4ThreeEighths = {"rk4-3/8",
                                            4,
                                            4,
                                            {{{}, {1.0 / 3}, {-1.0 / 3, 1}, {1, -1, 1}}},
                                            {1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8},
                                            {0, 1.0 / 3, 2.0 / 3, 1}};

constinit const Tableau kHeunEuler = {
    .name = "heun-euler",
    .order = 2,
    .stages = 2,
    .a = {{{}, {1}}},
    .b = {0.5, 0.5},
    .c = {0, 1},
    .embedded = {1, {1}},
};

constinit const Tableau kBogackiShampine = {
    .name = "bosh3",
    .order = 3,
    .stages = 3,
    .a = {{{}, {0.5}, {0, 0.75}}},
    .b = {2.0 / 9, 1.0 / 3, 4.0 / 9},
    .c = {0, 0.5, 0.75},
    .embedded = {2, {7.0 / 24, 1.0 / 4, 1.0 / 3, 1.0 / 8}},
};

constinit const Tableau kDormandPrince5 = {
    .name = "dopri5",
    .order = 5,
    .stages = 6,
    .a = {{{},
           {1.0 / 5},
           {3.0 / 40, 9.0 / 40},
           {44.0 / 45, -56.0 / 15, 32.0 / 9},
           {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
           {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656}}},
    .b = {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
    .c = {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1},
    .embedded = {4, {1951.0 / 21600, 0, 22642.0 / 50085, 451.0 / 720, -12231.0 / 42400, 649.0 / 6300, 1.0 / 60}},
    .dense = {.order = 4,
              .corrections = 1,
              .d = {{{-12715105075.0 / 11282082432, 0, 87487479700.0 / 32700410799, -10690763975.0 / 1880347072,
                      701980252875.0 / 199316789632, -1453857185.0 / 822651844, 69997945.0 / 29380423}}}},
};

// The first column of a is c minus the rest of the row, so that each rounded row adds up to c as exactly as possible;
// its last digit can therefore differ from that of the published coefficients.
constinit const Tableau kTsitouras5 = {
    .name = "tsit5",
    .order = 5,
    .stages = 6,
    .a = {{{},
           {0.161},
           {-0.008480655492356992, 0.335480655492357},
           {2.8971530571054935, -6.359448489975075, 4.3622954328695815},
           {5.325864828439256, -11.748883564062828, 7.4955393428898365, -0.09249506636175525},
           {5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383}}},
    .b = {0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774},
    .c = {0, 0.161, 0.327, 0.9, 0.9800255409045097, 1},
    .embedded = {4,
                 {0.09468075576583945, 0.009183565540343254, 0.4877705284247616, 1.234297566930479, -2.7077123499835256,
                  1.866628418170587, 1.0 / 66}},
    .dense = {.order = 4,
              .corrections = 1,
              .d = {{{-1.0530884977290216, 0.1017, 2.4906272856512528, -16.548102889244904, 47.37952196281928,
                      -34.87065786149661, 2.5}}}},
};

std::vector<std::string> solver_names(bool only_adaptive) {
  std::vector<std::string> names;
  for (const Tableau* tableau : kTableaus) {
    if (tableau->adaptive() || !only_adaptive) names.emplace_back(tableau->name);
  }
  return names;
}

const Tableau& find_tableau(std::string_view name) {
  for (const Tableau* tableau : kTableaus) {
    if (tableau->name == name) return *tableau;
  }
  fail(unknown_name("solver", name, solver_names()));
}

}  // namespace rill::flow
