#pragma once

// The most probable split of a normalized text into vocabulary pieces (google/sentencepiece, src/unigram_model.cc,
// EncodeOptimized), with the same rounding and the same choice among equals.

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/text/prefix_index.h"
#include "engine/text/sentencepiece_model.h"

namespace mirror::engine {

// Bytes begin..end of the normalized text and their piece.
struct Segment {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::int64_t id = 0;
};

class UnigramVocabulary {
public:
    explicit UnigramVocabulary(const std::vector<VocabularyPiece>& pieces);

    // Covers the whole text. A character that no piece covers is unknown_id(); neighbours of that kind are not merged.
    std::vector<Segment> split(std::string_view normalized) const;

    std::int64_t unknown_id() const { return unknown_id_; }

private:
    struct Entry {
        std::int64_t id;
        float score;
    };
    struct Step;  // The best way to reach one byte.

    void relax_from(std::size_t start, std::string_view normalized, std::vector<Step>& best) const;

    std::vector<Entry> entries_;  // Normal and user-defined pieces, in the order of index_.
    PrefixIndex index_;
    std::int64_t unknown_id_ = 0;
    float unknown_score_ = 0.0f;
};

}  // namespace mirror::engine
