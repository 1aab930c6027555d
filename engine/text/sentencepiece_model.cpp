#include "engine/text/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "engine/text/protobuf_wire.h"

namespace mirror::engine {

namespace {

// Field numbers of sentencepiece_model.proto.
constexpr std::uint32_t kPieces = 1, kTrainerSpec = 2, kNormalizerSpec = 3;
constexpr std::uint32_t kPieceText = 1, kPieceScore = 2, kPieceType = 3;
constexpr std::uint32_t kModelType = 3, kVocabSize = 4, kWhitespaceAsSuffix = 24, kByteFallback = 35, kUnkId = 40,
                        kBosId = 41, kEosId = 42, kPadId = 43, kUnkPiece = 45, kBosPiece = 46, kEosPiece = 47,
                        kPadPiece = 48;
constexpr std::uint32_t kNormalizerName = 1, kCharsmap = 2, kDummyPrefix = 3, kRemoveSpaces = 4, kEscapeSpaces = 5;
constexpr std::uint64_t kUnigram = 1;
constexpr std::uint64_t kAbsentId = ~std::uint64_t{0};  // -1 as a varint.

Error malformed(const std::string& origin, const std::string& what) {
    return {ErrorCode::MalformedFile, "The tokenizer file " + origin + " " + what + "."};
}

// What keeps one message from being taken; null: nothing does.
using Complaint = const char*;

Complaint read_piece(std::string_view message, VocabularyPiece& piece) {
    WireReader reader(message);
    while (reader.next()) {
        if (reader.is_bytes(kPieceText)) piece.text = reader.bytes();
        if (reader.is_fixed32(kPieceScore)) piece.score = std::bit_cast<float>(reader.fixed32());
        if (reader.is_varint(kPieceType)) {
            if (reader.varint() < 1 || reader.varint() > 6) return "has a piece of an unknown type";
            piece.type = static_cast<PieceType>(reader.varint());
        }
    }
    if (!reader.ok()) return "has a damaged piece";
    if (piece.text.empty()) return "has an empty piece";
    if (piece.text.size() > kMaxPieceBytes) return "has a piece longer than 1 KiB";
    if (!std::isfinite(piece.score)) return "has a score that is not a finite number";
    return nullptr;
}

Complaint read_trainer(std::string_view message, SentencePieceModel& model) {
    WireReader reader(message);
    while (reader.next()) {
        if (reader.is_varint(kModelType) && reader.varint() != kUnigram) return "is not a unigram model";
        if (reader.is_varint(kWhitespaceAsSuffix) && reader.varint() != 0)
            return "puts white space behind the words, which is not supported";
        if (reader.is_varint(kByteFallback)) model.byte_fallback = reader.varint() != 0;
    }
    if (!reader.ok()) return "has a damaged trainer_spec";
    return nullptr;
}

Complaint read_normalizer(std::string_view message, SentencePieceModel& model) {
    WireReader reader(message);
    while (reader.next()) {
        if (reader.is_bytes(kNormalizerName)) model.normalizer_name = reader.bytes();
        if (reader.is_bytes(kCharsmap)) model.precompiled_charsmap = reader.bytes();
        if (reader.is_varint(kDummyPrefix)) model.add_dummy_prefix = reader.varint() != 0;
        if (reader.is_varint(kRemoveSpaces)) model.remove_extra_whitespaces = reader.varint() != 0;
        if (reader.is_varint(kEscapeSpaces)) model.escape_whitespaces = reader.varint() != 0;
    }
    if (!reader.ok()) return "has a damaged normalizer_spec";
    return nullptr;
}

Complaint read_model(std::string_view bytes, SentencePieceModel& model) {
    WireReader reader(bytes);
    while (reader.next()) {
        Complaint complaint = nullptr;
        if (reader.is_bytes(kPieces)) {
            if (model.pieces.size() == kMaxPieces) return "has more than a million pieces";
            complaint = read_piece(reader.bytes(), model.pieces.emplace_back());
        } else if (reader.is_bytes(kTrainerSpec)) {
            complaint = read_trainer(reader.bytes(), model);
        } else if (reader.is_bytes(kNormalizerSpec)) {
            complaint = read_normalizer(reader.bytes(), model);
        }
        if (complaint) return complaint;
    }
    if (!reader.ok()) return "is damaged or is not a SentencePiece model";
    return nullptr;
}

Complaint check_vocabulary(const SentencePieceModel& model) {
    if (model.pieces.empty()) return "has no pieces";
    std::unordered_set<std::string_view> seen;
    std::size_t unknown = 0, bytes = 0;
    for (const auto& piece : model.pieces) {
        if (!seen.insert(piece.text).second) return "has the same piece twice";
        unknown += piece.type == PieceType::Unknown;
        bytes += piece.type == PieceType::Byte;
    }
    if (unknown != 1) return "does not have exactly one unknown piece";
    if (model.byte_fallback ? bytes != 256 : bytes != 0)
        return "does not have the byte pieces that its byte_fallback asks for";
    return nullptr;
}

std::string wire_piece(const VocabularyPiece& piece) {
    WireWriter writer;
    writer.bytes(kPieceText, piece.text);
    writer.fixed32(kPieceScore, std::bit_cast<std::uint32_t>(piece.score));
    writer.varint(kPieceType, static_cast<std::uint64_t>(piece.type));
    return writer.take();
}

std::uint64_t id_of(const SentencePieceModel& model, std::string_view text) {
    for (std::size_t id = 0; id < model.pieces.size(); ++id) {
        if (model.pieces[id].text == text) return id;
    }
    return kAbsentId;
}

std::string wire_trainer(const SentencePieceModel& model) {
    WireWriter writer;
    writer.varint(kModelType, kUnigram);
    writer.varint(kVocabSize, model.pieces.size());
    writer.varint(kByteFallback, model.byte_fallback);
    for (std::size_t id = 0; id < model.pieces.size(); ++id) {
        if (model.pieces[id].type != PieceType::Unknown) continue;
        writer.varint(kUnkId, id);
        writer.bytes(kUnkPiece, model.pieces[id].text);
    }
    writer.varint(kBosId, kAbsentId);
    writer.varint(kEosId, id_of(model, "</s>"));
    writer.varint(kPadId, id_of(model, "<pad>"));
    writer.bytes(kBosPiece, "<s>");
    writer.bytes(kEosPiece, "</s>");
    writer.bytes(kPadPiece, "<pad>");
    return writer.take();
}

std::string wire_normalizer(const SentencePieceModel& model) {
    WireWriter writer;
    writer.bytes(kNormalizerName, model.normalizer_name);
    writer.bytes(kCharsmap, model.precompiled_charsmap);
    writer.varint(kDummyPrefix, model.add_dummy_prefix);
    writer.varint(kRemoveSpaces, model.remove_extra_whitespaces);
    writer.varint(kEscapeSpaces, model.escape_whitespaces);
    return writer.take();
}

}  // namespace

Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes, const std::string& origin) {
    if (bytes.size() > kMaxModelBytes) return malformed(origin, "is larger than 64 MiB");
    SentencePieceModel model;
    if (const Complaint complaint = read_model(bytes, model)) return malformed(origin, complaint);
    if (const Complaint complaint = check_vocabulary(model)) return malformed(origin, complaint);
    return model;
}

std::string write_sentencepiece_model(const SentencePieceModel& model) {
    WireWriter writer;
    for (const auto& piece : model.pieces) writer.bytes(kPieces, wire_piece(piece));
    writer.bytes(kTrainerSpec, wire_trainer(model));
    writer.bytes(kNormalizerSpec, wire_normalizer(model));
    return writer.take();
}

SentencePieceModel pad_vocabulary(SentencePieceModel model, std::size_t count) {
    for (std::size_t id = model.pieces.size(); id < count; ++id) {
        model.pieces.push_back({"<unused_" + std::to_string(id) + ">", 0.0f, PieceType::Unused});
    }
    return model;
}

}  // namespace mirror::engine
