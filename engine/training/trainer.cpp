#include "engine/training/trainer.h"

#include <c10/core/GradMode.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <system_error>

#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/training/adamw.h"
#include "engine/training/gradient_operators.h"
#include "engine/training/loss_curve.h"
#include "engine/training/precision_scope.h"
#include "engine/training/training_state.h"

namespace mirror::engine::training {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// For small sequences the products written out are faster forwards and backwards than the fused operator on a CPU.
void prefer_plain_attention(at::Device device) {
    if (device.is_cpu()) at::globalContext().setSDPUseFlash(false);
}

// The C library gives large blocks back to the system with every free and gets them again, page by page, with every
// step; more than half of a small model's time went there. A run keeps what it has.
void keep_freed_memory() {
#ifdef __GLIBC__
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

// What the input has is copied to the output: within the input that would have no end.
void refuse_output_inside_input(const Recipe& recipe) {
    if (recipe.input.empty()) return;
    std::error_code ignored;  // Of a folder that cannot be reached: reading or writing it says so.
    const auto place = [&](const fs::path& folder) {
        return fs::weakly_canonical(fs::absolute(folder, ignored), ignored);
    };
    const fs::path below = place(recipe.output).lexically_relative(place(recipe.input));
    if (below.empty() || below == "." || *below.begin() == "..") return;
    throw EngineError(ErrorCode::InvalidRequest, "The recipe's output " + path_for_message(recipe.output) +
                                                     " lies inside of its input " + path_for_message(recipe.input) +
                                                     "; choose a folder beside it.");
}

// Means of what the batches since the last report measured.
class Means {
public:
    void add(const Measures& measures, std::int64_t samples = 1) {
        for (const auto& [name, value] : measures) {
            auto found = std::find_if(sums_.begin(), sums_.end(), [&](const Sum& sum) { return sum.name == name; });
            if (found == sums_.end()) found = sums_.insert(sums_.end(), Sum{name});
            found->value += value * static_cast<double>(samples);
            found->count += samples;
        }
    }
    Measures take() {
        Measures means;
        for (const Sum& sum : sums_) means.emplace_back(sum.name, sum.value / static_cast<double>(sum.count));
        sums_.clear();
        return means;
    }
    bool empty() const { return sums_.empty(); }

private:
    struct Sum {
        std::string name;
        double value = 0;
        std::int64_t count = 0;
    };
    std::vector<Sum> sums_;
};

class Run {
public:
    Run(const Recipe& recipe, const TrainingOptions& options, const TrainingObserver& observer)
        : recipe_(recipe),
          options_(options),
          observer_(observer),
          folder_(run_folder(recipe)),
          device_(options.device),
          task_(make_task(recipe, device_,
                          {options.reader.get(), observer.notice, options.stop, [this] { return time_is_over(); }})),
          optimizer_(task_->store(), recipe.optimizer) {}

    TrainingReport to_the_end() {
        if (recipe_.random_weights) return one_step();
        begin();
        while (position_.samples < recipe_.samples) {
            if (options_.stop.stop_requested()) {
                save();
                throw EngineError(ErrorCode::Cancelled, "Stopped; the state after " +
                                                            std::to_string(position_.samples) + " samples is in " +
                                                            path_for_message(folder_) + ".");
            }
            if (time_is_over()) {
                save();
                return {false, position_.samples, recipe_.output, {}};
            }
            step();
        }
        save();
        return {true, position_.samples, recipe_.output, evaluate()};
    }

private:
    bool time_is_over() const { return options_.seconds && seconds_since(begun_) >= *options_.seconds; }

    // To see whether the recipe fits this machine; nothing is read or written.
    TrainingReport one_step() {
        started_ = reported_ = Clock::now();
        step();
        report();
        return {position_.samples >= recipe_.samples, position_.samples, {}, {}};
    }

    void begin() {
        const bool there = has_state(folder_);
        if (there && !options_.resume) {
            throw EngineError(ErrorCode::InvalidRequest, "The folder " + path_for_message(folder_) +
                                                             " holds a run already; give --resume to go on with it.");
        }
        value_or_throw(make_folders(folder_));
        if (there) {
            const RunPosition saved = load_state(folder_, optimizer_);
            if (saved.stage != recipe_.stage_name)
                throw EngineError(ErrorCode::InvalidRequest, "The run in " + path_for_message(folder_) +
                                                                 " is one of the stage " +
                                                                 escape_for_message(saved.stage) + ".");
            if (saved.recipe_sha256 != recipe_.fingerprint)
                observer_.notice("The recipe has changed since the run in " + path_for_message(folder_) + " began.");
            position_.samples = saved.samples;
            position_.steps = saved.steps;
            curve_ = LossCurve::read(folder_ / "curve.csv", position_.samples);
        }
        saved_at_ = position_.samples;
        began_at_ = reported_at_ = position_.samples;
        started_ = reported_ = Clock::now();
    }

    void step() {
        const std::int64_t size = std::min(recipe_.batch, recipe_.samples - position_.samples);
        Measures measures = gradients_of(size);
        const double norm = optimizer_.gradient_norm();
        if (!std::isfinite(norm)) refuse_not_a_number("gradient");
        measures.emplace_back("gradient_norm", norm);
        optimizer_.step(recipe_.learning_rate.at(position_.samples), norm);
        means_.add(measures);
        const std::int64_t before = position_.samples;
        position_.samples += size;
        ++position_.steps;
        after_step(before);
    }

    // The gradients of a batch, a part of it at a time: every sample counts alike.
    Measures gradients_of(std::int64_t size) {
        Means means;
        for (std::int64_t begin = 0; begin < size; begin += recipe_.micro_batch) {
            const std::int64_t count = std::min(recipe_.micro_batch, size - begin);
            const PrecisionScope precision(recipe_.bf16, device_);
            BatchLoss batch = task_->loss_of({recipe_.seed, position_.samples, size, begin, count});
            const double loss = batch.loss.item<double>();
            if (!std::isfinite(loss)) refuse_not_a_number("loss");
            Measures measures{{"loss", loss}};
            measures.insert(measures.end(), batch.measures.begin(), batch.measures.end());
            means.add(measures, count);
            if (count < size) batch.loss = batch.loss * (static_cast<double>(count) / static_cast<double>(size));
            // A batch in which nothing is conditioned teaches an adapter nothing.
            if (batch.loss.requires_grad()) batch.loss.backward();
        }
        return means.take();
    }

    [[noreturn]] void refuse_not_a_number(const std::string& what) {
        throw EngineError(ErrorCode::Internal, "The " + what + " at sample " + std::to_string(position_.samples) +
                                                   " is not a finite number; the state after " +
                                                   std::to_string(saved_at_) + " samples is kept in " +
                                                   path_for_message(folder_) + ", try a lower learning rate.");
    }

    // Whether a multiple of `every` was passed.
    bool passed(std::int64_t before, std::int64_t every) const {
        return every > 0 && before / every != position_.samples / every;
    }

    void after_step(std::int64_t before) {
        if (recipe_.random_weights) return;
        if (passed(before, recipe_.report_every)) report();
        if (passed(before, recipe_.picture_every)) show();
        if (passed(before, recipe_.save_every) && position_.samples < recipe_.samples) save();
    }

    void report() {
        if (means_.empty()) return;
        TrainingProgress progress;
        progress.stage = recipe_.stage_name;
        progress.samples = position_.samples;
        progress.of_samples = recipe_.samples;
        progress.measures = means_.take();
        curve_.add(position_.samples, progress.measures);
        const double seconds = seconds_since(reported_);
        if (seconds > 0) progress.samples_per_second = static_cast<double>(position_.samples - reported_at_) / seconds;
        const double whole = seconds_since(started_) / static_cast<double>(position_.samples - began_at_);
        progress.seconds_left = whole * static_cast<double>(recipe_.samples - position_.samples);
        reported_at_ = position_.samples;
        reported_ = Clock::now();
        observer_.tell(progress);
    }

    // A picture and scores of the average so far.
    void show() {
        const c10::NoGradGuard no_gradients;
        const AveragedWeights averaged(*task_->store(), optimizer_);
        const PrecisionScope precision(recipe_.bf16, device_);
        curve_.add(position_.samples, task_->evaluate());
        const Frame picture = task_->picture();
        if (picture.rgb.empty()) return;
        std::array<char, 48> name{};
        std::snprintf(name.data(), name.size(), "samples-%010lld.png", static_cast<long long>(position_.samples));
        observer_.write_picture(folder_ / name.data(), picture);
    }

    // The state comes last: where it lies, the model and the curve of that moment lie too.
    void save() {
        if (position_.samples == saved_at_ && has_state(folder_)) return;
        write_model();
        if (!curve_.empty()) {
            value_or_throw(durable_replace(folder_ / "curve.csv", curve_.csv()));
            observer_.write_picture(folder_ / "curve.png", curve_.picture());
        }
        save_state(folder_, position_, optimizer_);
        saved_at_ = position_.samples;
    }

    void write_model() {
        const c10::NoGradGuard no_gradients;
        const AveragedWeights averaged(*task_->store(), optimizer_);
        task_->write_model(recipe_.output, task_->store()->named(task_->store()->values(), at::kFloat));
    }

    Measures evaluate() {
        const c10::NoGradGuard no_gradients;
        const AveragedWeights averaged(*task_->store(), optimizer_);
        const PrecisionScope precision(recipe_.bf16, device_);
        return task_->evaluate();
    }

    const Recipe& recipe_;
    const TrainingOptions& options_;
    const TrainingObserver& observer_;
    Clock::time_point begun_ = Clock::now();  // The data are yet to be prepared.
    fs::path folder_;
    at::Device device_;
    std::unique_ptr<TrainingTask> task_;
    AdamW optimizer_;
    RunPosition position_{recipe_.stage_name, recipe_.fingerprint, 0, 0};
    LossCurve curve_;
    Means means_;
    std::int64_t saved_at_ = 0, began_at_ = 0, reported_at_ = 0;
    Clock::time_point started_, reported_;  // Of the batches.
};

}  // namespace

fs::path run_folder(const Recipe& recipe) { return recipe.output / "training"; }

TrainingReport train(const Recipe& recipe, const TrainingOptions& options, const TrainingObserver& observer) {
    if (!recipe.random_weights) refuse_output_inside_input(recipe);
    check_recipe(recipe);
    at::set_num_threads(recipe.threads);
    keep_freed_memory();
    prefer_plain_attention(at::Device(options.device));
    use_own_gradients();
    const c10::AutoGradMode gradients(true);
    try {
        return Run(recipe, options, observer).to_the_end();
    } catch (const OutOfTime&) {
        return {false, saved_samples(run_folder(recipe)), recipe.output, {}};
    }
}

TrainingReport train(const fs::path& recipe, const TrainingOptions& options, const TrainingObserver& observer) {
    Recipe read = Recipe::open(recipe);
    read.random_weights = options.random_weights;
    return train(read, options, observer);
}

}  // namespace mirror::engine::training
