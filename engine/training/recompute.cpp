#include "engine/training/recompute.h"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace mirror::engine::training {

namespace {

namespace autograd = torch::autograd;

// How a pass rounds: the same for the second one, which runs when the backward pass pleases.
class Precision {
public:
    explicit Precision(at::DeviceType device)
        : device_(device),
          enabled_(at::autocast::is_autocast_enabled(device)),
          dtype_(at::autocast::get_autocast_dtype(device)) {}

    void set() const {
        at::autocast::set_autocast_enabled(device_, enabled_);
        at::autocast::set_autocast_dtype(device_, dtype_);
    }

private:
    at::DeviceType device_;
    bool enabled_;
    at::ScalarType dtype_;
};

class PrecisionGuard {
public:
    PrecisionGuard(const Precision& wanted, at::DeviceType device) : before_(device) { wanted.set(); }
    ~PrecisionGuard() { before_.set(); }
    PrecisionGuard(const PrecisionGuard&) = delete;
    PrecisionGuard& operator=(const PrecisionGuard&) = delete;

private:
    Precision before_;
};

at::Tensor random_state(at::Device device) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    return generator.get_state();
}

// The random numbers of the first pass for the second, and then those that were next.
class RandomGuard {
public:
    RandomGuard(at::Device device, const at::Tensor& wanted) : device_(device), before_(random_state(device)) {
        set(wanted);
    }
    ~RandomGuard() { set(before_); }
    RandomGuard(const RandomGuard&) = delete;
    RandomGuard& operator=(const RandomGuard&) = delete;

private:
    void set(const at::Tensor& state) {
        at::Generator generator = at::globalContext().defaultGenerator(device_);
        const std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_state(state);
    }

    at::Device device_;
    at::Tensor before_;
};

// The same values as leaves of a graph of their own.
std::vector<at::Tensor> as_leaves(const std::vector<at::Tensor>& inputs) {
    std::vector<at::Tensor> leaves;
    for (const at::Tensor& input : inputs) leaves.push_back(input.detach().requires_grad_(input.requires_grad()));
    return leaves;
}

class SecondPass : public autograd::Node {
public:
    SecondPass(StreamFunction function, const std::vector<at::Tensor>& inputs)
        : function_(std::move(function)),
          device_(inputs.front().device()),
          precision_(device_.type()),
          random_(random_state(device_)) {
        for (const at::Tensor& input : inputs) inputs_.emplace_back(input, /*is_output=*/false);
    }

    // Which of the function's results this node stands behind, in the order of its outputs.
    void returns(std::vector<std::size_t> results) { results_ = std::move(results); }

    autograd::variable_list apply(autograd::variable_list&& gradients) override {
        std::vector<at::Tensor> inputs;
        for (const autograd::SavedVariable& saved : inputs_) inputs.push_back(saved.unpack());
        const std::vector<at::Tensor> leaves = as_leaves(inputs);
        inputs.clear();
        std::vector<at::Tensor> wanted, given;
        {
            const at::AutoGradMode with_gradients(true);
            const PrecisionGuard precision(precision_, device_.type());
            const RandomGuard random(device_, random_);
            const std::vector<at::Tensor> made = function_(leaves);
            for (std::size_t i = 0; i < results_.size(); ++i) {
                if (!gradients[i].defined() || !made[results_[i]].requires_grad()) continue;
                wanted.push_back(made[results_[i]]);
                given.push_back(gradients[i]);
            }
        }
        const PrecisionGuard precision(precision_, device_.type());
        autograd::backward(wanted, given);
        autograd::variable_list of_inputs;
        for (const at::Tensor& leaf : leaves) of_inputs.push_back(leaf.grad());
        return of_inputs;
    }

    void release_variables() override { inputs_.clear(); }

private:
    StreamFunction function_;
    at::Device device_;
    Precision precision_;
    at::Tensor random_;
    std::vector<autograd::SavedVariable> inputs_;
    std::vector<std::size_t> results_;
};

}  // namespace

std::vector<at::Tensor> recomputed(const StreamFunction& function, const std::vector<at::Tensor>& inputs) {
    const auto node = std::shared_ptr<SecondPass>(new SecondPass(function, inputs), autograd::deleteNode);
    node->set_next_edges(autograd::collect_next_edges(at::TensorList(inputs)));
    // With a graph, which is dropped at once: the operators choose their arithmetic by whether there is one.
    const std::vector<at::Tensor> leaves = as_leaves(inputs);
    std::vector<at::Tensor> results = function(leaves);
    std::vector<std::size_t> made;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto same = std::find_if(leaves.begin(), leaves.end(),
                                       [&](const at::Tensor& leaf) { return leaf.is_same(results[i]); });
        if (same != leaves.end()) {
            results[i] = inputs[static_cast<std::size_t>(same - leaves.begin())];
            continue;
        }
        const bool has_gradient = results[i].requires_grad();
        results[i] = results[i].detach();
        if (!has_gradient) continue;
        autograd::set_history(results[i], node);
        made.push_back(i);
    }
    node->returns(std::move(made));
    return results;
}

}  // namespace mirror::engine::training
