#pragma once

// The operations of Python's pickle (Lib/pickletools.py): those that torch.save writes, and the names of all others.

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace mirror::formats::pickle {

inline constexpr std::uint8_t kProto = 0x80;
inline constexpr std::uint8_t kStop = '.';
inline constexpr std::uint8_t kMark = '(';
inline constexpr std::uint8_t kNone = 'N';
inline constexpr std::uint8_t kNewTrue = 0x88;
inline constexpr std::uint8_t kNewFalse = 0x89;
inline constexpr std::uint8_t kBinInt = 'J';
inline constexpr std::uint8_t kBinInt1 = 'K';
inline constexpr std::uint8_t kBinInt2 = 'M';
inline constexpr std::uint8_t kLong1 = 0x8a;
inline constexpr std::uint8_t kBinFloat = 'G';
inline constexpr std::uint8_t kBinUnicode = 'X';
inline constexpr std::uint8_t kEmptyTuple = ')';
inline constexpr std::uint8_t kEmptyList = ']';
inline constexpr std::uint8_t kEmptyDict = '}';
inline constexpr std::uint8_t kTuple = 't';
inline constexpr std::uint8_t kTuple1 = 0x85;
inline constexpr std::uint8_t kTuple2 = 0x86;
inline constexpr std::uint8_t kTuple3 = 0x87;
inline constexpr std::uint8_t kAppend = 'a';
inline constexpr std::uint8_t kAppends = 'e';
inline constexpr std::uint8_t kSetItem = 's';
inline constexpr std::uint8_t kSetItems = 'u';
inline constexpr std::uint8_t kBinPut = 'q';
inline constexpr std::uint8_t kLongBinPut = 'r';
inline constexpr std::uint8_t kBinGet = 'h';
inline constexpr std::uint8_t kLongBinGet = 'j';
inline constexpr std::uint8_t kGlobal = 'c';
inline constexpr std::uint8_t kBinPersId = 'Q';
inline constexpr std::uint8_t kReduce = 'R';
inline constexpr std::uint8_t kBuild = 'b';

inline constexpr std::array<std::pair<std::uint8_t, const char*>, 36> kRefused = {{{'i', "INST"},
                                                                                   {'o', "OBJ"},
                                                                                   {0x81, "NEWOBJ"},
                                                                                   {0x92, "NEWOBJ_EX"},
                                                                                   {0x93, "STACK_GLOBAL"},
                                                                                   {0x82, "EXT1"},
                                                                                   {0x83, "EXT2"},
                                                                                   {0x84, "EXT4"},
                                                                                   {'P', "PERSID"},
                                                                                   {'0', "POP"},
                                                                                   {'1', "POP_MARK"},
                                                                                   {'2', "DUP"},
                                                                                   {'p', "PUT"},
                                                                                   {'g', "GET"},
                                                                                   {'d', "DICT"},
                                                                                   {'l', "LIST"},
                                                                                   {'I', "INT"},
                                                                                   {'L', "LONG"},
                                                                                   {0x8b, "LONG4"},
                                                                                   {'F', "FLOAT"},
                                                                                   {'S', "STRING"},
                                                                                   {'T', "BINSTRING"},
                                                                                   {'U', "SHORT_BINSTRING"},
                                                                                   {'V', "UNICODE"},
                                                                                   {'B', "BINBYTES"},
                                                                                   {'C', "SHORT_BINBYTES"},
                                                                                   {0x8e, "BINBYTES8"},
                                                                                   {0x96, "BYTEARRAY8"},
                                                                                   {0x8c, "SHORT_BINUNICODE"},
                                                                                   {0x8d, "BINUNICODE8"},
                                                                                   {0x8f, "EMPTY_SET"},
                                                                                   {0x90, "ADDITEMS"},
                                                                                   {0x91, "FROZENSET"},
                                                                                   {0x94, "MEMOIZE"},
                                                                                   {0x95, "FRAME"},
                                                                                   {0x97, "NEXT_BUFFER"}}};

inline std::string operation_name(std::uint8_t operation) {
    for (const auto& [code, name] : kRefused)
        if (code == operation) return std::string("the operation ") + name;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "the unknown operation 0x%02x", static_cast<unsigned>(operation));
    return text.data();
}

}  // namespace mirror::formats::pickle
