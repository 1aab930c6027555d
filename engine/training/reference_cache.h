#pragma once

// What the frozen networks say of portraits of drawn people, made once each when first asked for.

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <utility>

#include "engine/training/reference_encoder.h"

namespace mirror::engine::training {

class ReferenceCache {
public:
    // Portraits of size x size pixels; the encoder outlives this.
    ReferenceCache(const ReferenceEncoder& encoder, int size, ReferenceChanges changes, std::uint64_t seed)
        : encoder_(encoder), size_(size), changes_(changes), seed_(seed) {}

    const ReferenceFeatures& features(std::uint64_t person, std::int64_t variant);
    // The portrait that they were read from, to show: [3, size, size] in -1..1.
    at::Tensor picture(std::uint64_t person, std::int64_t variant) const;

private:
    RandomStream stream(std::uint64_t person, std::int64_t variant) const {
        return {seed_ ^ person, Purpose::Augment, static_cast<std::uint64_t>(variant)};
    }
    ReferenceFeatures make(std::uint64_t person, std::int64_t variant) const;

    const ReferenceEncoder& encoder_;
    int size_;
    ReferenceChanges changes_;
    std::uint64_t seed_;
    std::map<std::pair<std::uint64_t, std::int64_t>, ReferenceFeatures> known_;
};

}  // namespace mirror::engine::training
