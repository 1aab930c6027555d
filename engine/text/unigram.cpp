#include "engine/text/unigram.h"

#include <algorithm>
#include <limits>

namespace mirror::engine {

namespace {

constexpr float kUnknownPenalty = 10.0f;

// By the lead byte alone, as SentencePiece steps through text.
std::size_t character_step(char lead) {
    const auto byte = static_cast<unsigned char>(lead);
    if (byte < 0xc0) return 1;
    return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

}  // namespace

struct UnigramVocabulary::Step {
    std::int64_t id = -1;
    float score = 0.0f;
    std::int64_t start = -1;  // -1: not reached.

    // Sums in float32: which of two equal splits wins depends on it. The first found keeps its place.
    void offer(float candidate, std::size_t from, std::int64_t piece) {
        if (start != -1 && !(candidate > score)) return;
        score = candidate;
        start = static_cast<std::int64_t>(from);
        id = piece;
    }
};

UnigramVocabulary::UnigramVocabulary(const std::vector<VocabularyPiece>& pieces) {
    float min_score = std::numeric_limits<float>::max();
    float max_score = std::numeric_limits<float>::min();
    for (const auto& piece : pieces) {
        if (piece.type != PieceType::Normal) continue;
        min_score = std::min(min_score, piece.score);
        max_score = std::max(max_score, piece.score);
    }
    unknown_score_ = min_score - kUnknownPenalty;

    std::vector<std::string> texts;
    for (std::size_t index = 0; index < pieces.size(); ++index) {
        const auto& piece = pieces[index];
        const auto id = static_cast<std::int64_t>(index);
        if (piece.type == PieceType::Unknown) unknown_id_ = id;
        if (piece.type != PieceType::Normal && piece.type != PieceType::UserDefined) continue;
        // A user-defined piece is always chosen: it costs almost nothing, whatever it is made of.
        const double bonus = static_cast<double>(static_cast<float>(piece.text.size()) * max_score) - 0.1;
        entries_.push_back({id, piece.type == PieceType::UserDefined ? static_cast<float>(bonus) : piece.score});
        texts.push_back(piece.text);
    }
    index_ = PrefixIndex(std::move(texts));
}

void UnigramVocabulary::relax_from(std::size_t start, std::string_view normalized, std::vector<Step>& best) const {
    const float till_here = best[start].score;
    const std::size_t character = std::min(character_step(normalized[start]), normalized.size() - start);
    bool character_is_piece = false;
    index_.walk(normalized.substr(start), [&](std::size_t index, std::size_t length) {
        const Entry& entry = entries_[index];
        best[start + length].offer(entry.score + till_here, start, entry.id);
        character_is_piece = character_is_piece || length == character;
    });
    if (character_is_piece) return;
    best[start + character].offer(unknown_score_ + till_here, start, unknown_id_);
}

std::vector<Segment> UnigramVocabulary::split(std::string_view normalized) const {
    std::vector<Step> best(normalized.size() + 1);
    for (std::size_t start = 0; start < normalized.size();) {
        relax_from(start, normalized, best);
        start += std::min(character_step(normalized[start]), normalized.size() - start);
    }
    std::vector<Segment> segments;
    for (std::size_t end = normalized.size(); end > 0;) {
        const auto start = static_cast<std::size_t>(best[end].start);
        segments.push_back({start, end, best[end].id});
        end = start;
    }
    std::reverse(segments.begin(), segments.end());
    return segments;
}

}  // namespace mirror::engine
