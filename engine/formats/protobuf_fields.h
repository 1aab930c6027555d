#pragma once

// Walks over the fields of a protocol buffer message. Used inside engine/formats only.

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/formats/byte_cursor.h"

namespace mirror::formats {

// Only one of bytes and value means something, as the type says.
struct ProtobufField {
    std::uint64_t number = 0;
    std::span<const std::byte> bytes;
    std::uint64_t value = 0;
    std::span<const std::byte> whole;  // The field as it stands in the message, its number and size included.
};

inline std::uint64_t protobuf_varint(ByteCursor& cursor) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const std::uint8_t byte = cursor.u8();
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
    throw FormatFailure("a number in it is too long");
}

// Calls `visit(field)` for each field of a message, in its order.
template <typename Visit>
void each_field(std::span<const std::byte> message, const Visit& visit) {
    ByteCursor cursor(message, "a message in it");
    while (cursor.left() > 0) {
        const std::size_t begin = cursor.position();
        const std::uint64_t key = protobuf_varint(cursor);
        ProtobufField field;
        field.number = key >> 3;
        switch (key & 7) {
            case 0:
                field.value = protobuf_varint(cursor);
                break;
            case 1:
                field.value = cursor.u64();
                break;
            case 2:
                field.bytes = cursor.take(protobuf_varint(cursor));
                break;
            case 5:
                field.value = cursor.u32();
                break;
            default:
                throw FormatFailure("a field in it has an unknown type");
        }
        field.whole = message.subspan(begin, cursor.position() - begin);
        visit(field);
    }
}

}  // namespace mirror::formats
