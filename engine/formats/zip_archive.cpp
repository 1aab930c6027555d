#include "engine/formats/zip_archive.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/formats/byte_cursor.h"
#include "engine/formats/json_cursor.h"

namespace mirror::formats {
namespace {

// PKWARE, APPNOTE.TXT 6.3.10.
constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kWideEnd = 0x06064b50;
constexpr std::uint32_t kWideEndLocator = 0x07064b50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kWideEndBytes = 56;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::uint16_t kEncrypted = 1u << 0;
constexpr std::uint16_t kSizesFollowData = 1u << 3;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint16_t kWideField = 0x0001;
constexpr std::uint32_t kInWideField = 0xffffffff;
constexpr std::uint16_t kInWideEnd = 0xffff;
constexpr std::uint32_t kLinkMode = 0xa;  // The upper four bits of a Unix mode.
constexpr std::size_t kLongestName = 1024;

using Bytes = std::span<const std::byte>;

struct Directory {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t entries = 0;
};

struct Header {
    ZipEntry entry;
    std::uint16_t flags = 0;
    std::uint64_t local = 0;  // Where the entry's own header is.
    std::uint64_t end = 0;    // Of its data.
    std::uint64_t unpacked = 0;
    std::uint16_t method = 0;
};

std::string entry_text(std::string_view name) { return "the entry " + escape_for_message(name, 60); }

Bytes part(Bytes file, std::uint64_t begin, std::uint64_t length, const char* what) {
    if (begin > file.size() || length > file.size() - begin)
        throw FormatFailure(std::string(what) + " lies outside the file");
    return file.subspan(begin, length);
}

// The record at the very end; a comment behind it could hide a second archive.
Directory read_end(Bytes file) {
    if (file.size() < kEndBytes) throw FormatFailure("it is cut off");
    ByteCursor end(file.last(kEndBytes), "the end record");
    if (end.u32() != kEnd) throw FormatFailure("it is cut off, or something follows the archive");
    const std::uint16_t disk = end.u16();
    const std::uint16_t first_disk = end.u16();
    const std::uint16_t here = end.u16();
    Directory directory;
    directory.entries = end.u16();
    const std::uint64_t size = end.u32();
    directory.begin = end.u32();
    directory.end = directory.begin + size;
    if (disk != 0 || first_disk != 0 || here != directory.entries) throw FormatFailure("it is a part of several files");
    if (end.u16() != 0) throw FormatFailure("it carries a comment");
    return directory;
}

// The 64-bit record, which must agree with the short one wherever that does not point to it.
Directory read_wide_end(Bytes file, const Directory& narrow) {
    ByteCursor locator(file.last(kEndBytes + kLocatorBytes), "the 64-bit locator");
    locator.u32();
    locator.u32();
    const std::uint64_t at = locator.u64();
    ByteCursor end(part(file, at, kWideEndBytes, "the 64-bit end record"), "the 64-bit end record");
    if (end.u32() != kWideEnd || end.u64() != kWideEndBytes - 12 ||
        at + kWideEndBytes + kLocatorBytes + kEndBytes != file.size())
        throw FormatFailure("its 64-bit end record is damaged");
    end.u32();  // Versions.
    const bool one_disk = end.u32() == 0 && end.u32() == 0;
    Directory wide;
    const std::uint64_t here = end.u64();
    wide.entries = end.u64();
    const std::uint64_t size = end.u64();
    wide.begin = end.u64();
    if (!one_disk || here != wide.entries) throw FormatFailure("it is a part of several files");
    if (wide.begin > at || size != at - wide.begin) throw FormatFailure("its directory lies outside the file");
    wide.end = at;
    const std::uint64_t narrow_size = narrow.end - narrow.begin;
    if ((narrow.entries != kInWideEnd && narrow.entries != wide.entries) ||
        (narrow.begin != kInWideField && narrow.begin != wide.begin) ||
        (narrow_size != kInWideField && narrow_size != size))
        throw FormatFailure("its two end records disagree");
    return wide;
}

Directory find_directory(Bytes file) {
    const Directory narrow = read_end(file);
    if (file.size() >= kEndBytes + kLocatorBytes) {
        ByteCursor locator(file.last(kEndBytes + kLocatorBytes), "the 64-bit locator");
        if (locator.u32() == kWideEndLocator) return read_wide_end(file, narrow);
    }
    if (narrow.begin > file.size() || narrow.end != file.size() - kEndBytes)
        throw FormatFailure("its directory does not end where the end record begins");
    return narrow;
}

void check_name(std::string_view name) {
    if (!is_utf8(name)) throw FormatFailure(entry_text(name) + " has a name that is not UTF-8");
    bool plain = !name.empty() && name.size() <= kLongestName && !name.starts_with('/');
    plain = plain && name.find('\\') == std::string_view::npos && name.find('\0') == std::string_view::npos;
    for (std::size_t at = 0; plain && at <= name.size();) {
        const std::size_t end = std::min(name.find('/', at), name.size());
        if (name.substr(at, end - at) == "..") plain = false;
        at = end + 1;
    }
    if (!plain) throw FormatFailure(entry_text(name) + " has a name that leaves the archive");
}

// Sizes above 4 GiB are in an extra field, in this order and only where the short field says so.
void read_wide_fields(Bytes extra, std::string_view name, std::initializer_list<std::uint64_t*> values) {
    ByteCursor fields(extra, "an extra field of " + entry_text(name));
    while (fields.left() >= 4) {
        const std::uint16_t kind = fields.u16();
        const std::uint16_t length = fields.u16();
        // Padding that puts data at a round address need not be a field.
        if (length > fields.left()) break;
        ByteCursor field(fields.take(length), "the 64-bit field of " + entry_text(name));
        if (kind != kWideField) continue;
        for (std::uint64_t* value : values)
            if (*value == kInWideField) *value = field.u64();
        return;
    }
    for (const std::uint64_t* value : values)
        if (*value == kInWideField) throw FormatFailure(entry_text(name) + " lacks its 64-bit sizes");
}

Header read_directory_header(ByteCursor& cursor) {
    if (cursor.u32() != kDirectoryHeader) throw FormatFailure("its directory is damaged");
    cursor.u32();  // Versions.
    Header header;
    header.flags = cursor.u16();
    header.method = cursor.u16();
    cursor.u32();  // When it was changed.
    header.entry.crc = cursor.u32();
    header.entry.size = cursor.u32();
    header.unpacked = cursor.u32();
    const std::uint16_t name_bytes = cursor.u16();
    const std::uint16_t extra_bytes = cursor.u16();
    const std::uint16_t comment_bytes = cursor.u16();
    const std::uint16_t disk = cursor.u16();
    cursor.u16();
    const std::uint32_t attributes = cursor.u32();
    header.local = cursor.u32();
    header.entry.name = cursor.text(name_bytes);
    const std::string& name = header.entry.name;
    check_name(name);
    read_wide_fields(cursor.take(extra_bytes), name, {&header.unpacked, &header.entry.size, &header.local});
    cursor.take(comment_bytes);
    if ((header.flags & kEncrypted) != 0) throw FormatFailure(entry_text(name) + " is encrypted");
    header.entry.is_compressed = header.method == kDeflated;
    if (header.method != kStored && header.method != kDeflated)
        throw FormatFailure(entry_text(name) + " is compressed in an unknown way");
    if (header.method == kStored && header.unpacked != header.entry.size)
        throw FormatFailure(entry_text(name) + " has two sizes");
    if (attributes >> 28 == kLinkMode) throw FormatFailure(entry_text(name) + " is a link");
    if (disk != 0) throw FormatFailure("it is a part of several files");
    return header;
}

// The header before the data must say what the directory says.
void read_local_header(Bytes file, const Directory& directory, Header& header) {
    const std::string& name = header.entry.name;
    if (header.local > directory.begin) throw FormatFailure(entry_text(name) + " lies outside the file");
    ByteCursor cursor(file.subspan(header.local, directory.begin - header.local), entry_text(name));
    if (cursor.u32() != kLocalHeader) throw FormatFailure(entry_text(name) + " has no header");
    cursor.u16();
    const std::uint16_t flags = cursor.u16();
    const std::uint16_t method = cursor.u16();
    cursor.u32();
    const std::uint32_t crc = cursor.u32();
    std::uint64_t packed = cursor.u32();
    std::uint64_t size = cursor.u32();
    const std::uint16_t name_bytes = cursor.u16();
    const std::uint16_t extra_bytes = cursor.u16();
    bool same = cursor.text(name_bytes) == name && flags == header.flags && method == header.method;
    const Bytes extra = cursor.take(extra_bytes);
    if ((flags & kSizesFollowData) == 0) {
        read_wide_fields(extra, name, {&size, &packed});
        same = same && crc == header.entry.crc && size == header.unpacked && packed == header.entry.size;
    }
    if (!same) throw FormatFailure(entry_text(name) + " has two headers that disagree");
    header.entry.begin = header.local + cursor.position();
    cursor.take(header.entry.size);
    header.end = header.entry.begin + header.entry.size;
}

void check_layout(std::vector<Header>& headers) {
    std::sort(headers.begin(), headers.end(), [](const auto& a, const auto& b) { return a.local < b.local; });
    for (std::size_t i = 1; i < headers.size(); ++i)
        if (headers[i].local < headers[i - 1].end)
            throw FormatFailure(entry_text(headers[i].entry.name) + " overlaps another entry");
}

ZipArchive read_archive(Bytes file) {
    const Directory directory = find_directory(file);
    if (directory.entries > limits::kArchiveEntries) throw FormatFailure("it has more than 100,000 entries");
    ByteCursor cursor(part(file, directory.begin, directory.end - directory.begin, "its directory"), "its directory");
    std::vector<Header> headers;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        headers.push_back(read_directory_header(cursor));
        read_local_header(file, directory, headers.back());
    }
    if (cursor.left() != 0) throw FormatFailure("its directory is longer than its entries");
    check_layout(headers);
    ZipArchive archive;
    for (Header& header : headers) archive.entries.push_back(std::move(header.entry));
    auto& entries = archive.entries;
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(entries.begin(), entries.end(),
                                          [](const auto& a, const auto& b) { return a.name == b.name; });
    if (twice != entries.end()) throw FormatFailure(entry_text(twice->name) + " appears twice");
    return archive;
}

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

// Eight bytes at a time ("slicing by 8"): tables[k] is the effect of a byte that k more bytes follow.
CrcTables make_crc_tables() {
    CrcTables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
        tables[0][byte] = crc;
    }
    for (std::uint32_t byte = 0; byte < 256; ++byte)
        for (std::size_t k = 1; k < tables.size(); ++k)
            tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
    return tables;
}

}  // namespace

const ZipEntry* ZipArchive::find(std::string_view name) const {
    const auto at =
        std::lower_bound(entries.begin(), entries.end(), name,
                         [](const ZipEntry& entry, std::string_view wanted) { return entry.name < wanted; });
    return at != entries.end() && at->name == name ? &*at : nullptr;
}

bool looks_like_zip(Bytes file) { return file.size() >= 4 && ByteCursor(file, "the file").u32() == kLocalHeader; }

Result<ZipArchive> parse_zip(Bytes file, std::string_view origin, std::string_view wanted) {
    try {
        return read_archive(file);
    } catch (const FormatFailure& failure) {
        return Error{ErrorCode::MalformedFile, refusal_sentence(origin, wanted, failure.what())};
    }
}

std::uint32_t crc32_of(Bytes bytes) {
    static const CrcTables tables = make_crc_tables();
    const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
    std::uint32_t crc = 0xffffffff;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        const std::uint32_t low = crc ^ (at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24);
        crc = tables[7][low & 0xff] ^ tables[6][(low >> 8) & 0xff] ^ tables[5][(low >> 16) & 0xff] ^
              tables[4][low >> 24] ^ tables[3][at(i + 4)] ^ tables[2][at(i + 5)] ^ tables[1][at(i + 6)] ^
              tables[0][at(i + 7)];
    }
    for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ tables[0][(crc ^ at(i)) & 0xff];
    return ~crc;
}

}  // namespace mirror::formats
