#pragma once

// The protocol buffer wire format, as far as SentencePiece models need it: a reader that never looks outside its bytes,
// and a writer. Groups (wire types 3 and 4) are refused.

#include <cstdint>
#include <string>
#include <string_view>

namespace mirror::engine {

// Goes through the fields of one message: `while (reader.next()) ...; if (!reader.ok()) damaged`.
class WireReader {
public:
    explicit WireReader(std::string_view message) : rest_(message) {}

    bool next();  // False at the end and at the first damage.
    bool ok() const { return ok_; }

    bool is_varint(std::uint32_t number) const { return number_ == number && kind_ == kVarint; }
    bool is_bytes(std::uint32_t number) const { return number_ == number && kind_ == kBytes; }
    bool is_fixed32(std::uint32_t number) const { return number_ == number && kind_ == kFixed32; }

    std::uint64_t varint() const { return value_; }
    std::string_view bytes() const { return bytes_; }
    std::uint32_t fixed32() const { return static_cast<std::uint32_t>(value_); }

private:
    static constexpr std::uint32_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

    bool read_varint(std::uint64_t& value);
    bool read_fixed(std::size_t size);
    bool fail();

    std::string_view rest_;
    std::string_view bytes_;
    std::uint64_t value_ = 0;
    std::uint32_t number_ = 0;
    std::uint32_t kind_ = 0;
    bool ok_ = true;
};

class WireWriter {
public:
    void varint(std::uint32_t number, std::uint64_t value);
    void fixed32(std::uint32_t number, std::uint32_t value);
    void bytes(std::uint32_t number, std::string_view value);

    std::string take() { return std::move(out_); }

private:
    void append(std::uint64_t value);

    std::string out_;
};

}  // namespace mirror::engine
