#include "engine/backbones/cogvideox/transformer.h"

#include <c10/core/GradMode.h>

#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/tensor/gradient_calls.h"

namespace mirror::engine::cogvideox {

namespace {

// What the 1.5 models from images to videos were trained with.
constexpr double kOffset = 2.0;

LayerNorm final_norm(const WeightScope& weights, const TransformerConfig& config) {
    if (!config.norm_elementwise_affine) return LayerNorm::plain(config.inner_dim(), config.norm_eps);
    return {weights, config.inner_dim(), config.norm_eps};
}

std::int64_t patch_area(const TransformerConfig& config) {
    return config.patch_size * config.patch_size * config.patch_size_t.value_or(1);
}

std::vector<std::int64_t> patch_weight_shape(const TransformerConfig& config) {
    if (config.patch_size_t) return {config.inner_dim(), config.in_channels * patch_area(config)};
    return {config.inner_dim(), config.in_channels, config.patch_size, config.patch_size};
}

std::int64_t learned_rows(const TransformerConfig& config) {
    const std::int64_t frames = (config.sample_frames - 1) / config.temporal_compression_ratio + 1;
    return config.max_text_seq_length +
           frames * (config.sample_height / config.patch_size) * (config.sample_width / config.patch_size);
}

LatentGrid grid_of(const at::Tensor& hidden_states) {
    return {hidden_states.size(1), hidden_states.size(3), hidden_states.size(4)};
}

void require(bool holds, ErrorCode code, const std::string& sentence) {
    if (!holds) throw EngineError(code, sentence);
}

std::string shape_text(const at::Tensor& tensor) {
    std::string text = "[";
    for (const std::int64_t size : tensor.sizes()) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + "]";
}

// A hook's way of running the block, or the block's own. Of the last block only the video is read: in training, where
// every row is paid for three times, its text is not made.
void run_block(const Block& block, int index, bool is_last, ForwardState& state, std::span<BlockHook* const> hooks) {
    for (BlockHook* hook : hooks) hook->before_block(index, state);
    BlockHook* owner = nullptr;
    for (BlockHook* hook : hooks) {
        if (!hook->takes_over(index)) continue;
        require(owner == nullptr, ErrorCode::Internal, "Two hooks want to run block " + std::to_string(index) + ".");
        owner = hook;
    }
    if (owner != nullptr) {
        owner->run_block(block, index, state);
    } else if (is_last && c10::GradMode::is_enabled() && state.video.requires_grad()) {
        block.forward_video(state);
    } else {
        block.forward(state);
    }
    for (BlockHook* hook : hooks) hook->after_block(index, state);
}

// What a block reads and changes: the streams of the call, then those of the hooks. Undefined ones are left out.
std::vector<at::Tensor*> streams_of(ForwardState& state, std::span<BlockHook* const> hooks) {
    std::vector<at::Tensor*> streams{&state.temb, &state.text, &state.video};
    for (BlockHook* hook : hooks) {
        for (at::Tensor* stream : hook->streams())
            if (stream->defined()) streams.push_back(stream);
    }
    return streams;
}

std::vector<at::Tensor> values_of(const std::vector<at::Tensor*>& streams) {
    std::vector<at::Tensor> values;
    for (const at::Tensor* stream : streams) values.push_back(*stream);
    return values;
}

void set_values(const std::vector<at::Tensor*>& streams, const std::vector<at::Tensor>& values) {
    for (std::size_t i = 0; i < streams.size(); ++i) *streams[i] = values[i];
}

bool wants_gradient(ForwardState& state, std::span<BlockHook* const> hooks) {
    for (const at::Tensor* stream : streams_of(state, hooks))
        if (stream->requires_grad()) return true;
    return false;
}

// A block in training. Every stream enters it through one place of its own, so that its gradients are summed block by
// block whether the inside is kept or made again, and both give the same bits.
void run_trained_block(const Block& block, int index, bool is_last, bool recompute, ForwardState& state,
                       std::span<BlockHook* const> hooks) {
    const StreamFunction function = [&block, index, is_last, own = std::vector<BlockHook*>(hooks.begin(), hooks.end()),
                                     step = state.step, rotary = state.rotary](const std::vector<at::Tensor>& inputs) {
        ForwardState inside{step, inputs[0], inputs[1], inputs[2], rotary};
        const std::vector<at::Tensor*> streams = streams_of(inside, own);
        const std::vector<at::Tensor> before = values_of(streams);
        set_values(streams, inputs);
        run_block(block, index, is_last, inside, own);
        const std::vector<at::Tensor> after = values_of(streams);
        set_values(streams, before);
        return after;
    };
    const std::vector<at::Tensor*> streams = streams_of(state, hooks);
    if (recompute && gradient_calls().recompute != nullptr)
        return set_values(streams, gradient_calls().recompute(function, values_of(streams)));
    std::vector<at::Tensor> inputs;
    for (const at::Tensor* stream : streams) inputs.push_back(at::alias(*stream));
    const std::vector<at::Tensor> results = function(inputs);
    for (std::size_t i = 0; i < streams.size(); ++i)
        if (!results[i].is_same(inputs[i])) *streams[i] = results[i];
}

}  // namespace

Transformer::Head::Head(const WeightScope& weights, const TransformerConfig& config)
    : norm_final(final_norm(weights / "norm_final", config)),
      modulation(weights / "norm_out" / "linear", config.time_embed_dim, 2 * config.inner_dim()),
      norm_out(final_norm(weights / "norm_out" / "norm", config)),
      proj_out(weights / "proj_out", config.inner_dim(), config.out_channels * patch_area(config)) {}

Transformer::Transformer(const WeightScope& weights, const TransformerConfig& config)
    : config_(config),
      placement_(weights.placement()),
      patch_weight_((weights / "patch_embed" / "proj").tensor("weight", patch_weight_shape(config))),
      text_proj_(weights / "patch_embed" / "text_proj", config.text_embed_dim, config.inner_dim()),
      time_in_(weights / "time_embedding" / "linear_1", config.inner_dim(), config.time_embed_dim),
      time_out_(weights / "time_embedding" / "linear_2", config.time_embed_dim, config.time_embed_dim),
      blocks_(weights / "transformer_blocks", config.num_layers,
              [config](const WeightScope& scope, std::int64_t index) { return Block(scope / index, config); }),
      head_(weights, config) {
    // The linear projection of the 1.5 models has a bias although their files say patch_bias false.
    if (config.patch_bias || config.patch_size_t) {
        patch_bias_ = (weights / "patch_embed" / "proj").tensor("bias", {config.inner_dim()});
    }
    if (config.use_learned_positional_embeddings) {
        learned_positions_ =
            (weights / "patch_embed").tensor("pos_embedding", {1, learned_rows(config), config.inner_dim()});
    }
    if (config.ofs_embed_dim) {
        ofs_in_ = Linear(weights / "ofs_embedding" / "linear_1", *config.ofs_embed_dim, *config.ofs_embed_dim);
        ofs_out_ = Linear(weights / "ofs_embedding" / "linear_2", *config.ofs_embed_dim, *config.ofs_embed_dim);
    }
}

at::Tensor Transformer::forward(const TransformerInput& input, std::span<BlockHook* const> hooks) const {
    const TransformerCall call{input, hooks};
    return forward_all({&call, 1}).front();
}

std::vector<at::Tensor> Transformer::forward_all(std::span<const TransformerCall> calls) const {
    std::vector<ForwardState> states;
    for (const TransformerCall& call : calls) {
        states.push_back(begin(call.input));
        for (BlockHook* hook : call.hooks) hook->before_blocks(states.back());
    }
    blocks_.for_each([&](const Block& block, std::int64_t index) {
        const bool is_last = index + 1 == config_.num_layers;
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const bool trained = c10::GradMode::is_enabled() && wants_gradient(states[i], calls[i].hooks);
            if (trained) {
                run_trained_block(block, static_cast<int>(index), is_last, calls[i].input.recompute, states[i],
                                  calls[i].hooks);
            } else {
                run_block(block, static_cast<int>(index), is_last, states[i], calls[i].hooks);
            }
        }
    });
    std::vector<at::Tensor> velocities;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        for (BlockHook* hook : calls[i].hooks) hook->after_blocks(states[i]);
        velocities.push_back(head(states[i].video, states[i].temb, grid_of(calls[i].input.hidden_states)));
    }
    return velocities;
}

ForwardState Transformer::begin(const TransformerInput& input) const {
    check(input);
    const LatentGrid grid = grid_of(input.hidden_states);
    const Positions where = input.positions != nullptr ? *input.positions : positions(grid);
    require(where.grid == grid, ErrorCode::Internal, "The positions were made for latents of another size.");
    const at::Tensor rows = patch_embedding(input, where);
    const std::int64_t text_rows = input.encoder_hidden_states.size(1);
    return {input.step, time_embedding(input.timestep, input.ofs), rows.narrow(1, 0, text_rows),
            rows.narrow(1, text_rows, rows.size(1) - text_rows), where.rotary};
}

at::Tensor Transformer::time_embedding(const at::Tensor& timestep, const at::Tensor& ofs) const {
    const at::Tensor sinusoid = time_sinusoid(timestep, config_.inner_dim(), config_).to(dtype());
    const at::Tensor temb = time_out_(at::silu(time_in_(sinusoid)));
    if (!config_.ofs_embed_dim) return temb;
    const at::Tensor offset = ofs.defined() ? ofs : at::full({1}, kOffset, timestep.options().dtype(dtype()));
    const at::Tensor waves = time_sinusoid(offset, *config_.ofs_embed_dim, config_).to(dtype());
    return temb + ofs_out_(at::silu(ofs_in_(waves)));
}

at::Tensor Transformer::patch_embedding(const TransformerInput& input, const Positions& positions) const {
    const at::Tensor rows = at::cat({text_proj_(input.encoder_hidden_states), embed_patches(input.hidden_states)}, 1);
    return positions.additive.defined() ? rows + positions.additive : rows;
}

// [batch, frames, channels, height, width] -> [batch, tokens, width]: frames slowest, then rows, then columns.
at::Tensor Transformer::embed_patches(const at::Tensor& hidden_states) const {
    const std::int64_t patch = config_.patch_size;
    if (!config_.patch_size_t) {
        const at::Tensor cells = at::conv2d(hidden_states.flatten(0, 1), patch_weight_, patch_bias_, {patch, patch});
        return cells.unflatten(0, {hidden_states.size(0), hidden_states.size(1)})
            .flatten(3)
            .transpose(2, 3)
            .flatten(1, 2);
    }
    // The values of a patch: channel slowest, then frame, row, column.
    const at::Tensor patches = hidden_states.permute({0, 1, 3, 4, 2})
                                   .unflatten(3, {-1, patch})
                                   .unflatten(2, {-1, patch})
                                   .unflatten(1, {-1, *config_.patch_size_t})
                                   .permute({0, 1, 3, 5, 7, 2, 4, 6});
    return at::linear(patches.flatten(4).flatten(1, 3), patch_weight_, patch_bias_);
}

at::Tensor Transformer::head(const at::Tensor& video, const at::Tensor& temb, const LatentGrid& grid) const {
    const std::vector<at::Tensor> factors = head_.modulation(at::silu(temb)).chunk(2, 1);
    const Modulation modulation{factors[0], factors[1], {}};
    return unpatchify(head_.proj_out(modulate(head_.norm_final(video), head_.norm_out, modulation)), grid);
}

at::Tensor Transformer::unpatchify(const at::Tensor& patches, const LatentGrid& grid) const {
    const std::int64_t batch = patches.size(0);
    const std::int64_t patch = config_.patch_size;
    const std::int64_t rows = grid.height / patch;
    const std::int64_t columns = grid.width / patch;
    if (!config_.patch_size_t) {
        return patches.reshape({batch, grid.frames, rows, columns, -1, patch, patch})
            .permute({0, 1, 4, 2, 5, 3, 6})
            .flatten(5, 6)
            .flatten(3, 4);
    }
    const std::int64_t depth = *config_.patch_size_t;
    return patches.reshape({batch, grid.frames / depth, rows, columns, -1, depth, patch, patch})
        .permute({0, 1, 5, 4, 2, 6, 3, 7})
        .flatten(6, 7)
        .flatten(4, 5)
        .flatten(1, 2);
}

Positions Transformer::positions(const LatentGrid& grid) const {
    Positions made{grid, {}, {}};
    if (config_.use_rotary_positional_embeddings) made.rotary = rotary_positions(config_, grid, device());
    if (config_.has_additive_positions()) made.additive = additive_positions(grid);
    return made;
}

// The learned table serves one size only. Another number of frames silently falls back to sines and cosines, as
// published; another height or width is refused.
at::Tensor Transformer::additive_positions(const LatentGrid& grid) const {
    if (config_.use_learned_positional_embeddings) {
        require(grid.height == config_.sample_height && grid.width == config_.sample_width, ErrorCode::InvalidRequest,
                "The model has learned positions and works at " + std::to_string(config_.sample_width) + "x" +
                    std::to_string(config_.sample_height) + " latents (sample_width x sample_height) only, not at " +
                    std::to_string(grid.width) + "x" + std::to_string(grid.height) + ".");
        const std::int64_t frames = (grid.frames - 1) * config_.temporal_compression_ratio + 1;
        if (frames == config_.sample_frames) return learned_positions_;
    }
    return sincos_positions(config_, grid, device()).to(dtype());
}

void Transformer::check(const TransformerInput& input) const {
    const at::Tensor& video = input.hidden_states;
    const at::Tensor& text = input.encoder_hidden_states;
    const ErrorCode shape = ErrorCode::ShapeMismatch;
    require(video.defined() && video.dim() == 5 && video.numel() > 0 && video.size(2) == config_.in_channels, shape,
            "hidden_states must be [batch, frames, " + std::to_string(config_.in_channels) +
                ", height, width], not empty" + (video.defined() ? "; it is " + shape_text(video) : "") + ".");
    const std::int64_t depth = config_.patch_size_t.value_or(1);
    require(video.size(3) % config_.patch_size == 0 && video.size(4) % config_.patch_size == 0 &&
                video.size(1) % depth == 0,
            shape,
            "hidden_states is " + shape_text(video) + ", but height and width must be divisible by patch_size " +
                std::to_string(config_.patch_size) + " and the frames by " + std::to_string(depth) + ".");
    require(text.defined() && text.dim() == 3 && text.size(0) == video.size(0) && text.size(1) > 0 &&
                text.size(2) == config_.text_embed_dim,
            shape,
            "encoder_hidden_states must be [" + std::to_string(video.size(0)) + ", rows, " +
                std::to_string(config_.text_embed_dim) + "]" +
                (text.defined() ? "; it is " + shape_text(text) : std::string()) + ".");
    require(!config_.has_additive_positions() || text.size(1) == config_.max_text_seq_length, shape,
            "encoder_hidden_states must have max_text_seq_length " + std::to_string(config_.max_text_seq_length) +
                " rows in this model, not " + std::to_string(text.size(1)) + ".");
    require(input.timestep.defined() && input.timestep.dim() == 1 && input.timestep.size(0) == video.size(0), shape,
            "timestep must have one value for each of the " + std::to_string(video.size(0)) + " rows.");
    require(!input.ofs.defined() ||
                (input.ofs.dim() == 1 && (input.ofs.size(0) == 1 || input.ofs.size(0) == video.size(0))),
            shape, "ofs must have one value, or one for each row.");
}

}  // namespace mirror::engine::cogvideox
