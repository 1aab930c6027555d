#include "engine/formats/torch_archive.h"

#include <algorithm>
#include <utility>

#include "engine/core/utf8.h"
#include "engine/formats/byte_cursor.h"
#include "engine/formats/json_cursor.h"
#include "engine/formats/zip_archive.h"

namespace mirror::formats {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kPickle = "/data.pkl";

std::string_view text_of(Bytes file, const ZipEntry& entry) {
    return {reinterpret_cast<const char*>(file.data()) + entry.begin, static_cast<std::size_t>(entry.size)};
}

// The folder inside the archive, which torch.save calls after the file.
std::string find_root(const ZipArchive& archive) {
    std::string root;
    for (const ZipEntry& entry : archive.entries) {
        const std::size_t slash = entry.name.find('/');
        if (slash == std::string::npos || entry.name.substr(slash) != kPickle) continue;
        if (!root.empty()) throw FormatFailure("it has two pickles");
        root = entry.name.substr(0, slash);
    }
    if (root.empty()) throw FormatFailure("it has no data.pkl");
    return root;
}

void refuse_programs(const ZipArchive& archive, const std::string& root) {
    for (const ZipEntry& entry : archive.entries) {
        if (entry.name.starts_with(root + "/code/") || entry.name == root + "/constants.pkl")
            throw FormatFailure("it contains a program (TorchScript), which is refused");
        if (!entry.name.starts_with(root + "/"))
            throw FormatFailure("the entry " + escape_for_message(entry.name, 60) + " does not belong to it");
    }
}

void refuse_compression(const ZipArchive& archive) {
    for (const ZipEntry& entry : archive.entries)
        if (entry.is_compressed)
            throw FormatFailure("the entry " + escape_for_message(entry.name, 60) + " is compressed");
}

void check_byte_order(Bytes file, const ZipArchive& archive, const std::string& root) {
    const ZipEntry* order = archive.find(root + "/byteorder");
    if (order != nullptr && text_of(file, *order) != "little") throw FormatFailure("its numbers are not little-endian");
}

void verify_checksums(Bytes file, const ZipArchive& archive) {
    for (const ZipEntry& entry : archive.entries)
        if (crc32_of(file.subspan(entry.begin, entry.size)) != entry.crc)
            throw FormatFailure("the entry " + escape_for_message(entry.name, 60) + " is damaged (checksum)");
}

ArchivedTensor locate(const ZipArchive& archive, const std::string& root, PickledTensor&& tensor) {
    const std::string name = root + "/data/" + tensor.storage;
    const ZipEntry* entry = archive.find(name);
    if (entry == nullptr) throw FormatFailure("it lacks the entry " + escape_for_message(name, 60));
    // Exactly: a storage that is shorter or longer belongs to something else.
    if (entry->size % bytes_of(tensor.dtype) != 0 ||
        entry->size / bytes_of(tensor.dtype) != static_cast<std::uint64_t>(tensor.storage_elements))
        throw FormatFailure("the storage of tensor " + escape_for_message(tensor.name, 60) + " has " +
                            std::to_string(entry->size) + " bytes, not " + std::to_string(tensor.storage_elements) +
                            " elements of " + to_text(tensor.dtype));
    return {std::move(tensor), entry->begin, entry->size};
}

void refuse_older_formats(Bytes file) {
    const auto starts_with = [&](std::initializer_list<unsigned> bytes) {
        return file.size() >= bytes.size() &&
               std::equal(bytes.begin(), bytes.end(), file.begin(),
                          [](unsigned byte, std::byte found) { return std::byte(byte) == found; });
    };
    // The number 0x1950a86a20f9469cfc6c, pickled.
    if (starts_with({0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46}))
        throw FormatFailure("it has the format of PyTorch before 1.6; load and save it again with a newer one");
    if (!looks_like_zip(file)) throw FormatFailure("it does not begin as a ZIP file");
}

}  // namespace

Result<std::vector<ArchivedTensor>> parse_torch_archive(Bytes file, Checksums checksums, std::string_view origin) {
    try {
        refuse_older_formats(file);
        const auto archive = parse_zip(file, origin);
        if (!archive) return archive.error();
        const std::string root = find_root(archive.value());
        refuse_programs(archive.value(), root);
        refuse_compression(archive.value());
        check_byte_order(file, archive.value(), root);
        if (checksums == Checksums::Verify) verify_checksums(file, archive.value());
        const ZipEntry& pickle = *archive.value().find(root + std::string(kPickle));
        auto tensors = read_pickled_tensors(file.subspan(pickle.begin, pickle.size), origin);
        if (!tensors) return tensors.error();
        std::vector<ArchivedTensor> located;
        for (PickledTensor& tensor : tensors.value())
            located.push_back(locate(archive.value(), root, std::move(tensor)));
        return located;
    } catch (const FormatFailure& failure) {
        return Error{ErrorCode::MalformedFile, refusal_sentence(origin, "a PyTorch checkpoint", failure.what())};
    }
}

}  // namespace mirror::formats
