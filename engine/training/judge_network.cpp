#include "engine/training/judge_network.h"

#include <nlohmann/json.hpp>

#include "engine/training/people/people.h"

namespace mirror::engine::training {

namespace {

constexpr std::int64_t kNormGroups = 8;
constexpr std::int64_t kColourGrid = 4;
constexpr std::int64_t kColours = 3 * kColourGrid * kColourGrid;
constexpr std::int64_t kFaceNumbers = 14;
constexpr std::int64_t kHidden = 128;
constexpr std::int64_t kTimeWidth = 96;
constexpr double kChangeGain = 2.0;

std::vector<JudgeLayer> layers(const WeightScope& weights, std::int64_t inputs,
                               const std::vector<std::pair<std::int64_t, std::int64_t>>& outputs_and_strides) {
    std::vector<JudgeLayer> stack;
    for (const auto& [outputs, stride] : outputs_and_strides) {
        stack.emplace_back(weights / static_cast<std::int64_t>(stack.size()), inputs, outputs, stride);
        inputs = outputs;
    }
    return stack;
}

at::Tensor through(const std::vector<JudgeLayer>& stack, at::Tensor x) {
    for (const JudgeLayer& layer : stack) x = layer(x);
    return x;
}

// What norms take away: the colours themselves, coarsely.
at::Tensor colours(const at::Tensor& pictures) {
    return at::adaptive_avg_pool2d(pictures, {kColourGrid, kColourGrid}).flatten(1).to(at::kFloat);
}

}  // namespace

JudgeConfig JudgeConfig::read(const ConfigReader& file) {
    file.refuse_unknown({"id_dim", "width", "frame_width"});
    JudgeConfig config;
    config.id_dim = file.integer_or("id_dim", config.id_dim, 1, 4096);
    config.width = file.integer_or("width", config.width, kNormGroups, 1024);
    config.frame_width = file.integer_or("frame_width", config.frame_width, kNormGroups, 1024);
    for (const auto& [key, value] : {std::pair("width", config.width), std::pair("frame_width", config.frame_width)})
        if (value % kNormGroups != 0) file.refuse(key, "must be a multiple of 8");
    return config;
}

std::string JudgeConfig::json() const {
    const nlohmann::ordered_json object = {{"id_dim", id_dim}, {"width", width}, {"frame_width", frame_width}};
    return object.dump(2) + "\n";
}

JudgeLayer::JudgeLayer(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs, std::int64_t stride_)
    : weight(weights.tensor("weight", {outputs, inputs, 3, 3})),
      bias(weights.tensor("bias", {outputs})),
      norm_weight((weights / "norm").tensor("weight", {outputs})),
      norm_bias((weights / "norm").tensor("bias", {outputs})),
      stride(stride_) {}

at::Tensor JudgeLayer::operator()(const at::Tensor& x) const {
    const at::Tensor y = at::conv2d(x, weight, bias, stride, 1);
    return at::relu(at::group_norm(y, kNormGroups, norm_weight, norm_bias, 1e-5));
}

JudgeNetwork::JudgeNetwork(const WeightScope& weights, const JudgeConfig& config) : config_(config) {
    const std::int64_t w = config.width, v = config.frame_width;
    identity_ = layers(weights / "identity", 3, {{w, 2}, {2 * w, 2}, {2 * w, 1}, {4 * w, 2}, {4 * w, 1}, {6 * w, 2}});
    identity_out_ = Linear(weights / "identity_out", 6 * w * 16 + kColours, config.id_dim);
    frame_ = layers(weights / "frame", 3, {{v, 2}, {2 * v, 2}, {4 * v, 2}, {4 * v, 1}});
    face_hidden_ = Linear(weights / "face_hidden", 4 * v * 64, kHidden);
    face_out_ = Linear(weights / "face_out", kHidden, kFaceNumbers);
    scene_out_ = Linear(weights / "scene_out", 8 * v + kColours, people::kPlaces + people::kStyles);
    action_ = layers(weights / "action", 6, {{v, 2}, {2 * v, 2}, {4 * v, 2}, {4 * v, 2}});
    action_hidden_ = Linear(weights / "action_hidden", 4 * v * 16, kTimeWidth);
    for (const char* name : {"time1", "time2"}) {
        time_weights_.push_back((weights / name).tensor("weight", {kTimeWidth, kTimeWidth, 3}));
        time_biases_.push_back((weights / name).tensor("bias", {kTimeWidth}));
    }
    action_out_ = Linear(weights / "action_out", 2 * kTimeWidth, people::kActions);
}

at::Tensor JudgeNetwork::identities(const at::Tensor& crops) const {
    const at::Tensor seen = through(identity_, crops).flatten(1).to(at::kFloat);
    return identity_out_(at::cat({seen, colours(crops)}, 1));
}

SeenFrames JudgeNetwork::frames(const at::Tensor& pictures) const {
    const at::Tensor seen = through(frame_, pictures);
    const at::Tensor faces = face_out_(at::relu(face_hidden_(seen.flatten(1)))).to(at::kFloat) + 0.5;
    const at::Tensor pooled = at::cat({seen.mean({2, 3}).to(at::kFloat), seen.amax({2, 3}).to(at::kFloat)}, 1);
    const at::Tensor scene = scene_out_(at::cat({pooled, colours(pictures)}, 1)).to(at::kFloat);
    return {faces, scene.narrow(1, 0, people::kPlaces), scene.narrow(1, people::kPlaces, people::kStyles)};
}

at::Tensor JudgeNetwork::actions(const at::Tensor& clips) const {
    const std::int64_t batch = clips.size(0), frames = clips.size(1);
    const at::Tensor before = at::cat({clips.narrow(1, 0, 1), clips.narrow(1, 0, frames - 1)}, 1);
    const at::Tensor both = at::cat({clips, kChangeGain * (clips - before)}, 2).flatten(0, 1);
    const at::Tensor rows = at::relu(action_hidden_(through(action_, both).flatten(1)));
    at::Tensor x = rows.view({batch, frames, kTimeWidth}).transpose(1, 2);
    for (std::size_t i = 0; i < time_weights_.size(); ++i)
        x = at::relu(at::conv1d(x, time_weights_[i], time_biases_[i], 1, 1));
    return action_out_(at::cat({x.mean(2), x.amax(2)}, 1)).to(at::kFloat);
}

at::Tensor resized_pictures(const at::Tensor& pictures, std::int64_t side) {
    if (pictures.size(2) == side && pictures.size(3) == side) return pictures;
    return at::_upsample_bilinear2d_aa(pictures, {side, side}, /*align_corners=*/false);
}

at::Tensor face_crops(const at::Tensor& pictures, const at::Tensor& boxes) {
    const at::Tensor low = boxes.narrow(1, 0, 2), high = boxes.narrow(1, 2, 2);
    const at::Tensor centre = low + high - 1.0;  // In -1..1
    const at::Tensor side = (high - low).amax(1).clamp(0.2, 2.0) * JudgeConfig::face_expand;
    at::Tensor map = at::zeros({boxes.size(0), 2, 3}, boxes.options());
    map.select(1, 0).select(1, 0).copy_(side);
    map.select(1, 1).select(1, 1).copy_(side);
    map.select(2, 2).copy_(centre);
    constexpr std::int64_t size = JudgeConfig::small_size;
    const at::Tensor grid = at::affine_grid_generator(map, {boxes.size(0), 3, size, size}, /*align_corners=*/false);
    constexpr std::int64_t kBilinear = 0, kRepeatTheEdge = 1;
    return at::grid_sampler(pictures, grid, kBilinear, kRepeatTheEdge, /*align_corners=*/false);
}

}  // namespace mirror::engine::training
