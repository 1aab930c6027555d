#include "tests/support/torch_archive_writer.h"

#include <cstring>
#include <span>

#include "engine/formats/zip_archive.h"

namespace mirror::testing {
namespace {

std::string one(int operation) { return std::string(1, static_cast<char>(operation)); }

std::uint32_t checksum(const ZipPart& part) {
    const std::uint32_t right = formats::crc32_of(std::as_bytes(std::span(part.data.data(), part.data.size())));
    return part.wrong_checksum ? ~right : right;
}

std::string local_header(const ZipPart& part) {
    const std::string& name = part.name_before_data.empty() ? part.name : part.name_before_data;
    return "PK\x03\x04" + little_endian(0, 2) + little_endian(part.flags, 2) + little_endian(part.method, 2) +
           little_endian(0, 4) + little_endian(checksum(part), 4) + little_endian(part.data.size(), 4) +
           little_endian(part.data.size(), 4) + little_endian(name.size(), 2) + little_endian(0, 2) + name;
}

std::string directory_header(const ZipPart& part, std::size_t begin) {
    const std::uint64_t size = part.data.size() + static_cast<std::uint64_t>(part.longer);
    return "PK\x01\x02" + little_endian(0, 4) + little_endian(part.flags, 2) + little_endian(part.method, 2) +
           little_endian(0, 4) + little_endian(checksum(part), 4) + little_endian(size, 4) + little_endian(size, 4) +
           little_endian(part.name.size(), 2) + little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 2) +
           little_endian(0, 2) + little_endian(part.attributes, 4) +
           little_endian(begin + static_cast<std::uint64_t>(part.moved), 4) + part.name;
}

std::vector<std::int64_t> contiguous(const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> stride(shape.size(), 1);
    for (std::size_t i = shape.size(); i-- > 1;) stride[i - 1] = stride[i] * shape[i];
    return stride;
}

}  // namespace

std::string little_endian(std::uint64_t value, int width) {
    std::string bytes;
    for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
}

std::string pickled_text(std::string_view text) { return "X" + little_endian(text.size(), 4) + std::string(text); }

// LONG1, for any size.
std::string pickled_integer(std::int64_t value) {
    return one(0x8a) + one(8) + little_endian(static_cast<std::uint64_t>(value), 8);
}

std::string pickled_tuple(const std::vector<std::int64_t>& values) {
    std::string tuple = "(";
    for (const std::int64_t value : values) tuple += pickled_integer(value);
    return tuple + "t";
}

std::string pickled_global(std::string_view module, std::string_view name) {
    return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

std::string pickled_tensor(const PickledPlace& place, const std::vector<std::int64_t>& shape,
                           const std::vector<std::int64_t>& stride) {
    return pickled_global("torch._utils", "_rebuild_tensor_v2") + "((" + pickled_text("storage") +
           pickled_global("torch", place.storage) + pickled_text(place.key) + pickled_text("cpu") +
           pickled_integer(place.elements) + "tQ" + pickled_integer(place.offset) + pickled_tuple(shape) +
           pickled_tuple(stride) + one(0x89) + pickled_global("collections", "OrderedDict") + ")RtR";
}

std::string whole_pickle(std::string_view body) { return "\x80\x02" + std::string(body) + "."; }

std::string pickled_entry(std::string_view key, std::string_view value) {
    return "}" + pickled_text(key) + std::string(value) + "s";
}

std::string zip_file(const std::vector<ZipPart>& parts) {
    std::string file, directory;
    for (const ZipPart& part : parts) {
        directory += directory_header(part, file.size());
        file += local_header(part) + part.data;
    }
    const std::size_t begin = file.size();
    return file + directory + "PK\x05\x06" + little_endian(0, 4) + little_endian(parts.size(), 2) +
           little_endian(parts.size(), 2) + little_endian(directory.size(), 4) + little_endian(begin, 4) +
           little_endian(0, 2);
}

std::string torch_file(const std::vector<SavedDictionary>& dictionaries) {
    std::vector<ZipPart> parts(1);
    std::string body = "}(";
    for (const SavedDictionary& dictionary : dictionaries) {
        body += pickled_text(dictionary.name) + "}(";
        for (const SavedTensor& tensor : dictionary.tensors) {
            const std::string key = std::to_string(parts.size() - 1);
            std::string data(tensor.values.size() * sizeof(float), '\0');
            if (!data.empty()) std::memcpy(data.data(), tensor.values.data(), data.size());
            body += pickled_text(tensor.name);
            body += pickled_tensor({key, "FloatStorage", static_cast<std::int64_t>(tensor.values.size()), 0},
                                   tensor.shape, contiguous(tensor.shape));
            ZipPart part;
            part.name = "saved/data/" + key;
            part.data = std::move(data);
            parts.push_back(std::move(part));
        }
        body += "u";
    }
    parts[0].name = "saved/data.pkl";
    parts[0].data = whole_pickle(body + "u");
    return zip_file(parts);
}

}  // namespace mirror::testing
