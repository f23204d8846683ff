// Trains a class-conditional flow on a CSV file with a column of labels and saves it; then loads it, samples each class
// with guidance, and computes log densities.
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "datasets/batches.hpp"
#include "datasets/data.hpp"
#include "datasets/labels.hpp"
#include "datasets/read_table.hpp"
#include "datasets/standardization.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/generate.hpp"
#include "flow/model/guidance.hpp"
#include "flow/model/model_file.hpp"

using namespace rill;

// A table to begin with: lengths in millimeters and masses in grams of two species, 3 and 7.
void write_example(const std::string& file) {
  Generator rng(/*seed=*/1);
  const Tensor z = Tensor::randn({400, 2}, rng);
  std::ofstream csv(file);
  csv << "length,species,mass\n";
  for (Index i = 0; i < 400; ++i) {
    const bool large = i % 2 == 1;
    csv << (large ? 215 : 185) + 6 * z.data()[2 * i] << ',' << (large ? 7 : 3) << ','
        << (large ? 5000 : 3700) + 300 * z.data()[2 * i + 1] << '\n';
  }
}

void train(const std::string& csv, const std::string& column, const std::string& model_file) {
  datasets::Table table = datasets::read_table(csv);
  const datasets::Labels labels = datasets::take_labels(table, column, csv);
  const auto units = datasets::Standardization::of(table);  // the model learns columns of mean 0 and deviation 1
  const Tensor points = units.apply(table);

  Generator rng(/*seed=*/0);
  flow::FlowMatching model({.network = {.dimension = points.dim(1), .hidden = {64, 64}, .classes = labels.count()},
                            .label_dropout = 0.1},  // so that guidance knows the data without their classes, too
                           rng);
  datasets::ShuffledBatches order(points.dim(0), /*batch=*/128, /*seed=*/0);
  const auto batches = [&](Index step, Generator&) {
    const Indices rows = order.at(step);
    std::vector<Index> classes;
    for (const Index row : rows) classes.push_back(labels.classes[row]);
    return datasets::Batch{gather_rows(points, rows), classes};
  };
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = 5e-3, .steps = 1500};
  options.ema_decay = 0.99;
  const auto trainer = model.trainer(batches, options);
  while (trainer->steps_done() < 1500) trainer->step();
  flow::save_model(model_file, model, {.kind = "table", .source = csv, .standardization = units}, trainer->ema());
}

int main(int argc, char** argv) {
  const std::string csv = argc > 1 ? argv[1] : "species.csv", column = argc > 2 ? argv[2] : "species";
  if (argc == 1) write_example(csv);
  train(csv, column, "species.safetensors");

  // Whoever has the file needs nothing else.
  const flow::LoadedModel loaded = flow::load_model("species.safetensors");
  const flow::Dynamics dynamics = flow::guided(*loaded.model->dynamics(), /*weight=*/1.5);
  Generator rng(/*seed=*/2);
  for (Index k = 0; k < loaded.model->classes(); ++k) {
    const Indices labels(std::vector<Index>(500, k));
    const Tensor x = flow::generate(dynamics, dynamics.sample_source(500, rng), labels).x;
    const datasets::Table rows = datasets::to_data_units(loaded.data, x);

    // The model's units are not those of the table: by the change of variables, a density there is smaller or larger by
    // the product of the columns' deviations.
    const double log_density = mean(loaded.model->log_density(x, labels)).item() - datasets::log_volume(loaded.data);
    double first = 0;
    for (Index i = 0; i < rows.rows; ++i) first += rows.at(i, 0) / static_cast<double>(rows.rows);
    std::printf("class %lld: mean of the first column %.1f, mean log density %.2f\n", static_cast<long long>(k), first,
                log_density);
  }
}
