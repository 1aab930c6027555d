#include "engine/text/protobuf_wire.h"

namespace mirror::engine {

bool WireReader::fail() {
    ok_ = false;
    rest_ = {};
    return false;
}

bool WireReader::read_varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (rest_.empty()) return fail();
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return fail();
}

bool WireReader::read_fixed(std::size_t size) {
    if (rest_.size() < size) return fail();
    value_ = 0;
    for (std::size_t i = 0; i < size; ++i) {
        value_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    }
    rest_.remove_prefix(size);
    return true;
}

bool WireReader::next() {
    if (rest_.empty()) return false;
    std::uint64_t tag = 0;
    if (!read_varint(tag)) return false;
    if (tag >> 3 == 0 || tag >> 32 != 0) return fail();
    number_ = static_cast<std::uint32_t>(tag >> 3);
    kind_ = static_cast<std::uint32_t>(tag & 7);
    switch (kind_) {
        case kVarint:
            return read_varint(value_);
        case kFixed64:
            return read_fixed(8);
        case kFixed32:
            return read_fixed(4);
        case kBytes: {
            std::uint64_t size = 0;
            if (!read_varint(size)) return false;
            if (size > rest_.size()) return fail();
            bytes_ = rest_.substr(0, size);
            rest_.remove_prefix(size);
            return true;
        }
        default:
            return fail();
    }
}

void WireWriter::append(std::uint64_t value) {
    for (; value > 0x7f; value >>= 7) out_.push_back(static_cast<char>((value & 0x7f) | 0x80));
    out_.push_back(static_cast<char>(value));
}

void WireWriter::varint(std::uint32_t number, std::uint64_t value) {
    append(std::uint64_t{number} << 3);
    append(value);
}

void WireWriter::fixed32(std::uint32_t number, std::uint32_t value) {
    append(std::uint64_t{number} << 3 | 5);
    for (unsigned shift = 0; shift < 32; shift += 8) out_.push_back(static_cast<char>(value >> shift & 0xff));
}

void WireWriter::bytes(std::uint32_t number, std::string_view value) {
    append(std::uint64_t{number} << 3 | 2);
    append(value.size());
    out_.append(value);
}

}  // namespace mirror::engine
