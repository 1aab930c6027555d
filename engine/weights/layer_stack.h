#pragma once

// The repeated layers of a model: all in memory, or brought from the checkpoint one after the other while the model
// runs, so that a model larger than the memory computes the same numbers.

#include <c10/core/InferenceMode.h>

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "engine/weights/weight_source.h"

namespace mirror::engine {

// Lets libtorch use one thread in the calling thread alone: a reader must not take the cores from the computation.
void use_one_thread_here();

template <typename Layer>
class LayerStack {
public:
    // Makes the layer of an index on the scope that it is given.
    using Make = std::function<Layer(const WeightScope& weights, std::int64_t index)>;

    // Layers that are not held are all checked here, so that none is found missing in the middle of a run.
    LayerStack(const WeightScope& weights, std::int64_t count, Make make)
        : count_(count), held_(weights.placement().layers) {
        if (held_ == LayersHeld::All) {
            layers_.reserve(static_cast<std::size_t>(count));
            for (std::int64_t i = 0; i < count; ++i) layers_.push_back(make(weights, i));
            return;
        }
        for (std::int64_t i = 0; i < count; ++i) make(weights.checked_only(), i);
        load_ = [weights, make = std::move(make)](std::int64_t i) { return make(weights, i); };
    }

    std::size_t size() const { return static_cast<std::size_t>(count_); }
    // Only of layers that are all held.
    const Layer& operator[](std::size_t index) const { return layers_.at(index); }
    auto begin() const { return layers_.begin(); }
    auto end() const { return layers_.end(); }

    // use(layer, index) for each, in order. The layer is gone after the call unless all are held. What loading throws
    // comes out of here.
    template <typename Use>
    void for_each(Use use) const {
        if (held_ == LayersHeld::All) {
            for (std::int64_t i = 0; i < count_; ++i) use(layers_[static_cast<std::size_t>(i)], i);
        } else if (held_ == LayersHeld::One) {
            for (std::int64_t i = 0; i < count_; ++i) use(load_(i), i);
        } else {
            for_each_reading_ahead(use);
        }
    }

private:
    template <typename Use>
    void for_each_reading_ahead(Use use) const {
        // A future of async() waits in its destructor, so that no reader outlives this call.
        auto next = read(0);
        for (std::int64_t i = 0; i < count_; ++i) {
            const std::unique_ptr<const Layer> layer = next.get();
            if (i + 1 < count_) next = read(i + 1);
            use(*layer, i);
        }
    }

    std::future<std::unique_ptr<const Layer>> read(std::int64_t index) const {
        const bool inference = c10::InferenceMode::is_enabled();
        return std::async(std::launch::async, [this, index, inference] {
            const c10::InferenceMode mode(inference);
            use_one_thread_here();
            return std::unique_ptr<const Layer>(new Layer(load_(index)));
        });
    }

    std::int64_t count_;
    LayersHeld held_;
    std::vector<Layer> layers_;
    std::function<Layer(std::int64_t)> load_;  // Empty if all are held.
};

}  // namespace mirror::engine
