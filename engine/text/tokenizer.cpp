#include "engine/text/tokenizer.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <system_error>

#include "engine/text/sentencepiece_model.h"
#include "engine/text/text_normalizer.h"
#include "engine/text/unigram.h"

namespace mirror::engine {

namespace {

constexpr std::int64_t kMaxSentinels = 100;  // <extra_id_0> .. <extra_id_99>, T5Tokenizer's default.

struct SpecialToken {
    std::string text;
    std::int64_t id;
};

Error unusable(const std::string& origin, const std::string& what) {
    return {ErrorCode::MalformedFile, "The tokenizer file " + origin + " " + what + "."};
}

std::optional<std::int64_t> find_piece(const std::vector<VocabularyPiece>& pieces, std::string_view text) {
    const auto at =
        std::find_if(pieces.begin(), pieces.end(), [&](const VocabularyPiece& p) { return p.text == text; });
    if (at == pieces.end()) return std::nullopt;
    return at - pieces.begin();
}

// The id of byte b at index b.
std::optional<std::vector<std::int64_t>> find_byte_pieces(const std::vector<VocabularyPiece>& pieces) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::vector<std::int64_t> ids(256, -1);
    for (std::size_t id = 0; id < pieces.size(); ++id) {
        const std::string& text = pieces[id].text;  // <0x41>
        if (pieces[id].type != PieceType::Byte || text.size() != 6 || !text.starts_with("<0x") || text[5] != '>')
            continue;
        const auto high = digits.find(text[3]), low = digits.find(text[4]);
        if (high == digits.npos || low == digits.npos) continue;
        ids[high * 16 + low] = static_cast<std::int64_t>(id);
    }
    if (std::find(ids.begin(), ids.end(), -1) != ids.end()) return std::nullopt;
    return ids;
}

}  // namespace

struct Tokenizer::State {
    State(SentencePieceModel&& model, TextNormalizer&& normalizer_)
        : pieces(std::move(model.pieces)), normalizer(std::move(normalizer_)), vocabulary(pieces) {}

    const SpecialToken* special_at(std::string_view text) const;
    void append_plain(std::string_view text, std::size_t offset, std::vector<Piece>& out) const;
    void append_bytes(std::string_view text, std::size_t begin, std::size_t end, std::vector<Piece>& out) const;

    std::vector<VocabularyPiece> pieces;
    TextNormalizer normalizer;
    UnigramVocabulary vocabulary;
    std::vector<SpecialToken> specials;
    std::vector<std::int64_t> byte_ids;  // Empty without byte fallback.
    std::int64_t padding = 0;
    std::int64_t end = 1;
};

const SpecialToken* Tokenizer::State::special_at(std::string_view text) const {
    if (text[0] != '<') return nullptr;
    const auto at =
        std::find_if(specials.begin(), specials.end(), [&](const SpecialToken& s) { return text.starts_with(s.text); });
    return at == specials.end() ? nullptr : &*at;
}

void Tokenizer::State::append_bytes(std::string_view text, std::size_t begin, std::size_t end_,
                                    std::vector<Piece>& out) const {
    for (const char c : text) {
        const std::int64_t id = byte_ids[static_cast<unsigned char>(c)];
        out.push_back({id, pieces[static_cast<std::size_t>(id)].text, begin, end_});
    }
}

void Tokenizer::State::append_plain(std::string_view text, std::size_t offset, std::vector<Piece>& out) const {
    const NormalizedText normalized = normalizer(text);
    bool after_unknown = false;
    for (const auto& segment : vocabulary.split(normalized.text)) {
        const std::string_view covered =
            std::string_view(normalized.text).substr(segment.begin, segment.end - segment.begin);
        const std::size_t begin = offset + normalized.origin[segment.begin].begin;
        const std::size_t end_ = offset + normalized.origin[segment.end - 1].end;
        const bool is_unknown = segment.id == vocabulary.unknown_id();
        if (is_unknown && !byte_ids.empty()) {
            append_bytes(covered, begin, end_, out);
        } else if (is_unknown && after_unknown) {  // A run of unknown characters is one token.
            out.back().text += covered;
            out.back().end = end_;
        } else {
            out.push_back({segment.id, std::string(covered), begin, end_});
        }
        after_unknown = is_unknown;
    }
}

Result<Tokenizer> Tokenizer::parse(std::string_view bytes, const std::string& origin, std::int64_t embedding_rows) {
    auto model = parse_sentencepiece_model(bytes, origin);
    if (!model) return model.error();
    auto normalizer = TextNormalizer::make(model.value(), origin);
    if (!normalizer) return normalizer.error();

    const bool byte_fallback = model.value().byte_fallback;
    auto state = std::make_shared<State>(std::move(model).value(), std::move(normalizer).value());
    const auto count = static_cast<std::int64_t>(state->pieces.size());
    if (embedding_rows > 0 && count > embedding_rows) {
        return unusable(origin, "has " + std::to_string(count) + " pieces, more than the " +
                                    std::to_string(embedding_rows) + " rows of the text encoder's embedding");
    }
    const auto end = find_piece(state->pieces, "</s>"), padding = find_piece(state->pieces, "<pad>");
    if (!end || !padding) return unusable(origin, "has no </s> or no <pad> piece");
    state->end = *end;
    state->padding = *padding;
    if (byte_fallback) {
        auto ids = find_byte_pieces(state->pieces);
        if (!ids) return unusable(origin, "does not have the byte pieces that its byte_fallback asks for");
        state->byte_ids = std::move(*ids);
    }
    const auto unknown = state->vocabulary.unknown_id();
    state->specials = {
        {"</s>", *end}, {"<pad>", *padding}, {state->pieces[static_cast<std::size_t>(unknown)].text, unknown}};
    const std::int64_t sentinels = embedding_rows > 0 ? std::min(kMaxSentinels, embedding_rows - count) : kMaxSentinels;
    for (std::int64_t n = 0; n < sentinels; ++n) {
        state->specials.push_back({"<extra_id_" + std::to_string(n) + ">", count + sentinels - 1 - n});
    }
    return Tokenizer(std::move(state));
}

Result<Tokenizer> Tokenizer::open(const std::filesystem::path& file, std::int64_t embedding_rows) {
    std::error_code problem;
    const auto size = std::filesystem::file_size(file, problem);
    if (problem) return Error{ErrorCode::MissingFile, "The tokenizer file " + file.string() + " cannot be opened."};
    if (size > kMaxModelBytes) return unusable(file.string(), "is larger than 64 MiB");
    std::string bytes(size, '\0');
    std::ifstream stream(file, std::ios::binary);
    if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
        return Error{ErrorCode::MissingFile, "The tokenizer file " + file.string() + " cannot be read."};
    }
    return parse(bytes, file.string(), embedding_rows);
}

Result<std::vector<Piece>> Tokenizer::tokenize(std::string_view text) const {
    std::vector<Piece> pieces;
    std::size_t plain = 0;  // Where the text not yet taken begins.
    for (std::size_t at = 0; at < text.size();) {
        const SpecialToken* special = state_->special_at(text.substr(at));
        if (special == nullptr) {
            ++at;
            continue;
        }
        state_->append_plain(text.substr(plain, at - plain), plain, pieces);
        pieces.push_back({special->id, special->text, at, at + special->text.size()});
        at += special->text.size();
        plain = at;
    }
    state_->append_plain(text.substr(plain), plain, pieces);
    return pieces;
}

Result<std::vector<std::int64_t>> Tokenizer::encode(std::string_view text, std::int64_t max_length) const {
    auto pieces = tokenize(text);
    if (!pieces) return pieces.error();
    std::vector<std::int64_t> ids;
    ids.reserve(pieces.value().size());
    for (const auto& piece : pieces.value()) ids.push_back(piece.id);
    return finish(std::move(ids), max_length);
}

std::vector<std::int64_t> Tokenizer::finish(std::vector<std::int64_t> ids, std::int64_t max_length) const {
    const auto length = static_cast<std::size_t>(std::max<std::int64_t>(max_length, 1));
    ids.resize(std::min(ids.size(), length - 1));
    ids.push_back(state_->end);
    ids.resize(length, state_->padding);
    return ids;
}

Result<std::int64_t> Tokenizer::token_count(std::string_view text) const {
    auto pieces = tokenize(text);
    if (!pieces) return pieces.error();
    return static_cast<std::int64_t>(pieces.value().size()) + 1;
}

std::int64_t Tokenizer::vocabulary_size() const { return static_cast<std::int64_t>(state_->pieces.size()); }
std::int64_t Tokenizer::padding_id() const { return state_->padding; }
std::int64_t Tokenizer::end_id() const { return state_->end; }
std::int64_t Tokenizer::unknown_id() const { return state_->vocabulary.unknown_id(); }

}  // namespace mirror::engine
