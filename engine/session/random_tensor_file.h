#pragma once

// Writes the weights of one component of a random checkpoint, one piece of a tensor in memory at a time.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/formats/safetensors.h"
#include "engine/session/random_checkpoint.h"
#include "engine/weights/weight_source.h"

namespace mirror::engine {

// The weights of one folder of a checkpoint.
struct RandomComponent {
    std::string folder;                          // "vae": also a part of what decides the numbers.
    std::string stem;                            // "diffusion_pytorch_model"
    formats::DType dtype = formats::DType::F32;  // F32 or BF16
    std::vector<ShapeRecorder::Entry> tensors;
    formats::Metadata metadata;

    std::uint64_t bytes() const;
};

// Counts bytes towards the watcher's progress; throws EngineError (Cancelled) once a stop is asked for.
class ByteMeter {
public:
    ByteMeter(const CheckpointWatch& watch, std::uint64_t total) : watch_(watch), total_(total) {}
    void add(std::uint64_t bytes);

private:
    const CheckpointWatch& watch_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
};

// STEM.safetensors below `model`/folder, or shards of at most `shard_bytes` with their index. A single larger tensor
// gets a shard of its own. EngineError: WriteFailed, Cancelled.
void write_random_component(const std::filesystem::path& model, const RandomComponent& component, std::uint64_t seed,
                            std::uint64_t shard_bytes, ByteMeter& meter);

}  // namespace mirror::engine
