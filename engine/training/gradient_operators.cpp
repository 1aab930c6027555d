#include "engine/training/gradient_operators.h"

#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <vector>

#include "engine/tensor/gradient_calls.h"
#include "engine/tensor/layers.h"
#include "engine/training/recompute.h"

namespace mirror::engine::training {

namespace {

using torch::autograd::AutogradContext;
using Tensors = torch::autograd::variable_list;

// [B, heads, T, dh] -> [B * heads, T, dh], dense.
at::Tensor as_batch(const at::Tensor& x) { return x.reshape({x.size(0) * x.size(1), x.size(2), x.size(3)}); }

// Keeps the probabilities: for the short rows of a small model they are smaller than what a second pass would cost.
class Attention : public torch::autograd::Function<Attention> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              const std::optional<at::Tensor>& bias, double scale) {
        at::Tensor asking = at::empty(q.sizes(), q.options());
        at::mul_out(asking, q, at::scalar_tensor(scale, q.options()));
        asking = as_batch(asking);
        const at::Tensor keys = as_batch(k), values = as_batch(v);
        at::Tensor scores = at::bmm(asking, keys.transpose(1, 2));
        if (bias) scores.view({q.size(0), q.size(1), q.size(2), k.size(2)}).add_(*bias);
        const at::Tensor shares = at::_softmax(scores, -1, /*half_to_float=*/false);
        context->save_for_backward({asking, keys, values, shares});
        context->saved_data["scale"] = scale;
        context->saved_data["sizes"] = q.sizes().vec();
        context->saved_data["bias"] = bias ? bias->sizes().vec() : std::vector<std::int64_t>();
        return at::bmm(shares, values).view(q.sizes());
    }

    static Tensors backward(AutogradContext* context, Tensors gradients) {
        const Tensors saved = context->get_saved_variables();
        const at::Tensor &asking = saved[0], &keys = saved[1], &values = saved[2], &shares = saved[3];
        const std::vector<std::int64_t> sizes = context->saved_data["sizes"].toIntVector();
        const std::vector<std::int64_t> bias = context->saved_data["bias"].toIntVector();
        const auto heads = [&](const at::Tensor& x) { return x.view({sizes[0], sizes[1], x.size(1), x.size(2)}); };
        const at::Tensor out = as_batch(gradients[0]);
        const at::Tensor of_shares = at::bmm(out, values.transpose(1, 2));
        const at::Tensor of_scores = at::_softmax_backward_data(of_shares, shares, -1, shares.scalar_type());
        const at::Tensor of_query = at::bmm(of_scores, keys).mul_(context->saved_data["scale"].toDouble());
        const at::Tensor of_key = at::bmm(of_scores.transpose(1, 2), asking);
        const at::Tensor of_value = at::bmm(shares.transpose(1, 2), out);
        const at::Tensor of_bias = bias.empty() ? at::Tensor() : at::sum_to(heads(of_scores), bias);
        return {heads(of_query), heads(of_key), heads(of_value), of_bias, at::Tensor()};
    }
};

// The inverse of a rotation is the rotation back.
class Rotation : public torch::autograd::Function<Rotation> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cos,
                              const at::Tensor& sin, std::int64_t first_row) {
        context->save_for_backward({cos, sin});
        context->saved_data["first_row"] = first_row;
        return rotate(x, {cos, sin}, first_row);
    }

    static Tensors backward(AutogradContext* context, Tensors gradients) {
        const Tensors saved = context->get_saved_variables();
        const at::Tensor turned =
            rotate(gradients[0], {saved[0], saved[1].neg()}, context->saved_data["first_row"].toInt());
        return {turned, at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

class GeluTanh : public torch::autograd::Function<GeluTanh> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
        context->save_for_backward({x});
        return gelu_tanh(x.clone());
    }

    static Tensors backward(AutogradContext* context, Tensors gradients) {
        return {at::gelu_backward(gradients[0], context->get_saved_variables()[0], "tanh")};
    }
};

at::Tensor attention_with_gradient(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const at::Tensor& bias, double scale) {
    std::optional<at::Tensor> added;
    if (bias.defined()) added = bias.to(q.scalar_type());
    return Attention::apply(q, k, v, added, scale);
}

at::Tensor rotated_with_gradient(const at::Tensor& x, const RotaryTable& table, std::int64_t first_row) {
    return Rotation::apply(x, table.cos, table.sin, first_row);
}

at::Tensor gelu_with_gradient(const at::Tensor& x) { return GeluTanh::apply(x); }

}  // namespace

void use_own_gradients() {
    register_gradient_calls({attention_with_gradient, rotated_with_gradient, gelu_with_gradient, recomputed});
}

}  // namespace mirror::engine::training
