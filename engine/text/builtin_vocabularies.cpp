#include "engine/text/builtin_vocabularies.h"

#include "engine/core/result.h"
#include "engine/text/sentencepiece_model.h"

// The assembler puts the files in as they are: no generated source, no file to find when the program runs.
// MIRROR_VOCABULARIES is their folder.
#define MIRROR_EMBED(name, file)                                \
    asm(".section .rodata\n"                                    \
        ".global mirror_" #name "_begin\n.hidden mirror_" #name \
        "_begin\n"                                              \
        ".global mirror_" #name "_end\n.hidden mirror_" #name   \
        "_end\n"                                                \
        "mirror_" #name "_begin:\n.incbin \"" file              \
        "\"\n"                                                  \
        "mirror_" #name "_end:\n.previous\n");                  \
    extern "C" const char mirror_##name##_begin[];              \
    extern "C" const char mirror_##name##_end[];

MIRROR_EMBED(tiny_vocabulary, MIRROR_VOCABULARIES "/tiny.model")
MIRROR_EMBED(demo_vocabulary, MIRROR_VOCABULARIES "/demo.model")
MIRROR_EMBED(people_vocabulary, MIRROR_VOCABULARIES "/people.model")

namespace mirror::engine {

namespace {

constexpr std::int64_t kTinyPieces = 256;
constexpr std::int64_t kDemoPieces = 4096;
constexpr std::int64_t kPeoplePieces = 3243;
constexpr std::int64_t kT5Rows = 32128;
constexpr std::int64_t kT5FreeRows = 128;

struct Vocabulary {
    std::string_view bytes;
    std::int64_t pieces;
};

// The largest of its kind that fits; the smallest if none does.
Vocabulary largest_within(VocabularyKind kind, std::int64_t rows) {
    if (kind == VocabularyKind::People) return {people_vocabulary(), kPeoplePieces};
    if (rows < kDemoPieces) return {tiny_vocabulary(), kTinyPieces};
    return {demo_vocabulary(), kDemoPieces};
}

}  // namespace

std::string_view tiny_vocabulary() {
    return {mirror_tiny_vocabulary_begin,
            static_cast<std::size_t>(mirror_tiny_vocabulary_end - mirror_tiny_vocabulary_begin)};
}

std::string_view demo_vocabulary() {
    return {mirror_demo_vocabulary_begin,
            static_cast<std::size_t>(mirror_demo_vocabulary_end - mirror_demo_vocabulary_begin)};
}

std::string_view people_vocabulary() {
    return {mirror_people_vocabulary_begin,
            static_cast<std::size_t>(mirror_people_vocabulary_end - mirror_people_vocabulary_begin)};
}

std::string vocabulary_for(VocabularyKind kind, std::int64_t embedding_rows) {
    const Vocabulary vocabulary = largest_within(kind, embedding_rows);
    if (embedding_rows < vocabulary.pieces) {
        throw EngineError(ErrorCode::InvalidRequest, "A text encoder with " + std::to_string(embedding_rows) +
                                                         " embedding rows is too small for a vocabulary; vocab_size " +
                                                         "must be at least " + std::to_string(vocabulary.pieces) + ".");
    }
    const std::int64_t pieces = embedding_rows >= kT5Rows ? embedding_rows - kT5FreeRows : embedding_rows;
    if (pieces == vocabulary.pieces) return std::string(vocabulary.bytes);
    auto model = value_or_throw(parse_sentencepiece_model(vocabulary.bytes, "of this program"));
    return write_sentencepiece_model(pad_vocabulary(std::move(model), static_cast<std::size_t>(pieces)));
}

}  // namespace mirror::engine
