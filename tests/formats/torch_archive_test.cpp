// Checkpoints of torch.save: what a true one holds, and that no crafted one is executed, believed or expensive.

#include "engine/formats/torch_archive.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/core/limits.h"
#include "engine/formats/zip_archive.h"
#include "tests/support/torch_archive_writer.h"

namespace mirror::formats {
namespace {

using namespace mirror::testing;

std::span<const std::byte> bytes_of_text(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string refusal(const std::string& file) {
    const auto result = parse_torch_archive(bytes_of_text(file), Checksums::Verify, "x.bin");
    if (result.ok()) return "accepted";
    EXPECT_LT(result.error().detail.size(), 300u);
    EXPECT_EQ(result.error().detail.find('\n'), std::string::npos);
    return result.error().detail;
}

ZipPart entry(const std::string& name, const std::string& data) {
    ZipPart part;
    part.name = name;
    part.data = data;
    return part;
}

// An archive of this pickle and one storage of six floats.
std::string with_pickle(const std::string& pickle) {
    return zip_file({entry("a/data.pkl", pickle), entry("a/data/0", std::string(24, '\0'))});
}

std::string with_tensor(const PickledPlace& place, const std::vector<std::int64_t>& shape,
                        const std::vector<std::int64_t>& stride) {
    return with_pickle(whole_pickle(pickled_entry("t", pickled_tensor(place, shape, stride))));
}

const std::string kGood = with_tensor({"0", "FloatStorage", 6, 0}, {2, 3}, {3, 1});

std::string golden() {
    std::ifstream file(std::string(MIRROR_SOURCE_DIR) + "/tests/golden/torch_save.pt", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(TorchArchive, ReadsWhatTorchSaved) {
    const std::string file = golden();
    const auto result = parse_torch_archive(bytes_of_text(file), Checksums::Verify, "torch_save.pt");
    ASSERT_TRUE(result.ok()) << result.error().detail;
    const auto& tensors = result.value();
    ASSERT_EQ(tensors.size(), 12u);
    const auto find = [&](const std::string& name) -> const ArchivedTensor& {
        for (const auto& each : tensors)
            if (each.tensor.name == name) return each;
        throw std::out_of_range(name);
    };
    using Sizes = std::vector<std::int64_t>;
    EXPECT_EQ(find("a").tensor.shape, (Sizes{4, 6}));
    EXPECT_EQ(find("a").tensor.dictionary, "id_encoder");
    EXPECT_EQ(find("t").tensor.stride, (Sizes{1, 6}));
    EXPECT_EQ(find("part").tensor.storage_offset, 8);
    EXPECT_EQ(find("part").tensor.stride, (Sizes{6, 1}));
    EXPECT_EQ(find("part").begin, find("a").begin);
    EXPECT_EQ(find("h").tensor.dtype, DType::F16);
    EXPECT_EQ(find("b").tensor.dtype, DType::BF16);
    EXPECT_EQ(find("d").tensor.dtype, DType::F64);
    EXPECT_EQ(find("i").tensor.dtype, DType::I32);
    EXPECT_EQ(find("s").tensor.dtype, DType::I64);
    EXPECT_TRUE(find("s").tensor.shape.empty());
    EXPECT_EQ(find("flags").tensor.dtype, DType::Bool);
    EXPECT_EQ(find("e").tensor.shape, (Sizes{0, 4}));
    EXPECT_EQ(find("weight").tensor.dictionary, "lora_weights");
    float last = 0;
    std::memcpy(&last, file.data() + find("a").begin + 23 * sizeof(float), sizeof last);
    EXPECT_EQ(last, 23.0f);
}

TEST(TorchArchive, ReadsWhatTheTestsWrite) {
    EXPECT_EQ(refusal(kGood), "accepted");
    EXPECT_EQ(refusal(torch_file({{"one", {{"w", {2}, {1, 2}}}}, {"two", {}}})), "accepted");
}

TEST(TorchArchive, RefusesEveryPrefixAndSurvivesEveryFlippedByte) {
    const std::string file = golden();
    for (std::size_t length = 0; length < file.size(); ++length) ASSERT_NE(refusal(file.substr(0, length)), "accepted");
    for (std::size_t at = 0; at < file.size(); ++at) {
        std::string flipped = file;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x55);
        refusal(flipped);
    }
}

struct BadPickle {
    const char* what;
    std::string pickle;
    const char* fragment;
};

class RefusedPickle : public ::testing::TestWithParam<BadPickle> {};

TEST_P(RefusedPickle, IsNamed) {
    const std::string sentence = refusal(with_pickle(GetParam().pickle));
    EXPECT_NE(sentence.find(GetParam().fragment), std::string::npos) << GetParam().what << ": " << sentence;
}

std::string operation(int code) { return std::string(1, static_cast<char>(code)); }

const std::string kCanary = std::filesystem::temp_directory_path() / "mirror-pickle-canary";

std::vector<BadPickle> calls() {
    const std::string touch = pickled_text("touch " + kCanary);
    const std::string system = pickled_global("os", "system");
    return {
        {"REDUCE", whole_pickle(system + touch + "\x85R"), "os.system"},
        {"a broken stream after it", "\x80\x02" + pickled_global("posix", "system") + touch + "\x85R\xff",
         "posix.system"},
        {"builtins", whole_pickle(pickled_global("builtins", "eval") + touch + "\x85R"), "builtins.eval"},
        {"nested pickle", whole_pickle(pickled_global("pickle", "loads") + touch + "\x85R"), "pickle.loads"},
        {"a name near an allowed one", whole_pickle(pickled_global("torch._utils", "_rebuild_tensor_v3")), "_v3"},
        {"a dotted name", whole_pickle(pickled_global("collections", "OrderedDict.fromkeys")), "fromkeys"},
        {"STACK_GLOBAL", whole_pickle(pickled_text("os") + pickled_text("system") + "\x93"), "STACK_GLOBAL"},
        {"INST", whole_pickle("(" + touch + "ios\nsystem\n"), "INST"},
        {"OBJ", whole_pickle("(" + touch + "o"), "OBJ"},
        {"NEWOBJ", whole_pickle(touch + ")\x81"), "NEWOBJ"},
        {"NEWOBJ_EX", whole_pickle(touch + ")}\x92"), "NEWOBJ_EX"},
        {"EXT1", whole_pickle(operation(0x82) + "\x01"), "EXT1"},
        {"EXT4", whole_pickle(operation(0x84) + "\x01\x01\x01\x01"), "EXT4"},
        {"PERSID", whole_pickle("Pstorage\n"), "PERSID"},
        {"BUILD on a text", whole_pickle(touch + "}b"), "an object with a state is something else"},
        {"BUILD with a text", whole_pickle("}" + touch + "b"), "the state of an object is something else"},
        {"a storage type that is called", whole_pickle(pickled_global("torch", "FloatStorage") + ")R"), "FloatStorage"},
        {"an OrderedDict of something", whole_pickle(pickled_global("collections", "OrderedDict") + "]\x85R"),
         "OrderedDict"},
    };
}

std::vector<BadPickle> bombs() {
    const std::string deep(limits::kPickleStack + 1, '(');
    std::string nested = "}";
    std::string gets;
    for (std::size_t i = 0; i < limits::kPickleStack; ++i) gets.append("h", 1).append(1, '\0');
    for (std::size_t i = 0; i <= limits::kPickleDepth; ++i) nested = pickled_entry("d", nested);
    return {
        {"empty", "", "ends too early"},
        {"protocol 0", "(dp0\n.", "does not begin"},
        {"protocol 4", "\x80\x04}.", "protocol 4"},
        {"BINBYTES8 of 4 GiB", whole_pickle("\x8e" + little_endian(1ull << 32, 8)), "BINBYTES8"},
        {"LONG4", whole_pickle("\x8b" + little_endian(0xffffffff, 4)), "LONG4"},
        {"FRAME", whole_pickle("\x95" + little_endian(1ull << 63, 8)), "FRAME"},
        {"a long of 200 bytes", whole_pickle("\x8a\xc8" + std::string(200, '\1')), "64 bits"},
        {"a text of 4 GiB", whole_pickle("X\xff\xff\xff\xff"), "ends too early"},
        {"a memo index of 2^31", whole_pickle("}r" + little_endian(1u << 31, 4)), "remembers more than"},
        {"a memo index never set", whole_pickle("hA"), "never kept"},
        {"a million marks and one", whole_pickle(deep), "too deep a stack"},
        {"a stack above a million", whole_pickle("Nq" + operation(0) + gets), "too deep a stack"},
        {"a million values and one", whole_pickle(std::string(limits::kPickleValues + 1, 'N')), "1,000,000 values"},
        {"more values than may be",
         whole_pickle("(" + std::string(600'000, 'N') + "t(" + std::string(600'000, 'N') + "t"), "1,000,000 values"},
        {"a pickle above 16 MiB", whole_pickle(std::string(limits::kPickleBytes, 'N')), "16 MiB"},
        {"a dictionary in itself", whole_pickle("}q" + operation(0) + pickled_text("k") + "h" + operation(0) + "s"),
         "at two places"},
        {"too many levels", whole_pickle(nested), "nested too deeply"},
        {"values left behind", whole_pickle("NN"), "leaves values behind"},
        {"no value", whole_pickle(""), "empty stack"},
        {"a second pickle", whole_pickle("}") + whole_pickle("}"), "follows the end"},
        {"no dictionary", whole_pickle("]"), "no dictionary"},
        {"a key twice", whole_pickle("}(" + pickled_text("k") + "N" + pickled_text("k") + "Nu"), "appears twice"},
        {"a text that is not UTF-8", whole_pickle("X" + little_endian(1, 4) + "\xff"), "not UTF-8"},
        {"SETITEMS of three", whole_pickle("}(NNNu"), "without a value"},
        {"a tuple that is appended to", whole_pickle(")Na"), "something else"},
        {"a mark that is taken", whole_pickle("N(s"), "empty stack"},
    };
}

INSTANTIATE_TEST_SUITE_P(Calls, RefusedPickle, ::testing::ValuesIn(calls()));
INSTANTIATE_TEST_SUITE_P(Bombs, RefusedPickle, ::testing::ValuesIn(bombs()));

TEST(TorchArchive, NothingWasExecuted) {
    for (const BadPickle& bad : calls()) refusal(with_pickle(bad.pickle));
    EXPECT_FALSE(std::filesystem::exists(kCanary));
}

TEST(TorchArchive, RefusesTensorsThatDoNotFit) {
    using Sizes = std::vector<std::int64_t>;
    const PickledPlace six{"0", "FloatStorage", 6, 0};
    constexpr std::int64_t kHuge = std::int64_t{1} << 62;
    const auto expect = [&](const PickledPlace& place, const Sizes& shape, const Sizes& stride, const char* fragment) {
        const std::string sentence = refusal(with_tensor(place, shape, stride));
        EXPECT_NE(sentence.find(fragment), std::string::npos) << sentence;
    };
    EXPECT_EQ(refusal(with_tensor(six, {3, 2}, {1, 3})), "accepted");
    EXPECT_EQ(refusal(with_tensor({"0", "FloatStorage", 6, 5}, {1, 1}, {9, 7})), "accepted");
    expect(six, {7}, {1}, "beyond its storage");
    expect(six, {2, 3}, {4, 1}, "beyond its storage");
    expect({"0", "FloatStorage", 6, 1}, {6}, {1}, "beyond its storage");
    expect({"0", "FloatStorage", 6, 7}, {0}, {1}, "beyond its storage");
    expect({"0", "FloatStorage", 6, -1}, {1}, {1}, "impossible sizes");
    expect(six, {-1}, {1}, "impossible sizes");
    expect(six, {kHuge, kHuge}, {1, 1}, "impossible sizes");
    expect(six, {2}, {kHuge}, "beyond its storage");
    expect(six, {2}, {-1}, "strides overlap");
    expect(six, {6, 2}, {0, 1}, "strides overlap");
    expect(six, {2, 2}, {1, 1}, "strides overlap");
    expect(six, {2, 3}, {1}, "more sizes than strides");
    expect(six, Sizes(9, 1), Sizes(9, 1), "more than 8 dimensions");
    expect({"0", "FloatStorage", 7, 0}, {7}, {1}, "24 bytes");
    expect({"0", "DoubleStorage", 6, 0}, {6}, {1}, "24 bytes");
    expect({"0", "HalfStorage", 6, 0}, {6}, {1}, "24 bytes");
    expect({"1", "FloatStorage", 6, 0}, {6}, {1}, "lacks the entry");
    expect({"../0", "FloatStorage", 6, 0}, {6}, {1}, "is no number");
}

TEST(TorchArchive, RefusesArchivesThatLie) {
    const ZipPart pickle = entry("a/data.pkl", whole_pickle("}"));
    const auto with = [&](const std::string& name, void (*change)(ZipPart&), const char* fragment) {
        ZipPart bad = entry(name, "12345678");
        change(bad);
        const std::string sentence = refusal(zip_file({pickle, bad}));
        EXPECT_NE(sentence.find(fragment), std::string::npos) << name << ": " << sentence;
    };
    const auto keep = [](ZipPart&) {};
    with("a/data/0", keep, "accepted");
    with("../x", keep, "leaves the archive");
    with("/x", keep, "leaves the archive");
    with("a/../x", keep, "leaves the archive");
    with("a\\x", keep, "leaves the archive");
    with("", keep, "leaves the archive");
    with("b/x", keep, "does not belong");
    with("a/data.pkl", keep, "appears twice");
    with("b/data.pkl", keep, "two pickles");
    with("a/code/x.py", keep, "contains a program");
    with("a/constants.pkl", keep, "contains a program");
    with("a/byteorder", keep, "little-endian");
    with(
        "a/data/0", [](ZipPart& part) { part.flags = 1; }, "encrypted");
    with(
        "a/data/0", [](ZipPart& part) { part.method = 8; }, "compressed");
    with(
        "a/data/0", [](ZipPart& part) { part.method = 12; }, "unknown way");
    with(
        "a/code/x.py", [](ZipPart& part) { part.method = 8; }, "contains a program");
    with(
        "a/data/0", [](ZipPart& part) { part.attributes = 0xa1ff0000; }, "is a link");
    with(
        "a/data/0", [](ZipPart& part) { part.name_before_data = "a/data/1"; }, "disagree");
    with(
        "a/data/0", [](ZipPart& part) { part.longer = 1; }, "disagree");
    with(
        "a/data/0", [](ZipPart& part) { part.moved = 1; }, "no header");
    with(
        "a/data/0", [](ZipPart& part) { part.moved = 1 << 20; }, "outside the file");
    with(
        "a/data/0", [](ZipPart& part) { part.wrong_checksum = true; }, "checksum");
}

TEST(TorchArchive, RefusesOverlapsAndRests) {
    ZipPart outer = entry("a/x", "");
    const std::string inner = zip_file({entry("a/y", "12345678")}).substr(0, 30 + 3 + 8);
    outer.data = inner;
    ZipPart within = entry("a/y", "12345678");
    // The directory says that the second entry begins inside the first one's data.
    within.moved = -static_cast<std::int64_t>(inner.size());
    EXPECT_NE(refusal(zip_file({outer, within})).find("overlaps"), std::string::npos);
    EXPECT_NE(refusal(kGood + "x").find("something follows"), std::string::npos);
    EXPECT_NE(refusal("x" + kGood).find("does not begin"), std::string::npos);
    EXPECT_NE(refusal(std::string(512, '\0')).find("does not begin"), std::string::npos);
    EXPECT_NE(refusal("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.").find("before 1.6"),
              std::string::npos);
}

TEST(TorchArchive, ChecksumsAreThoseOfZip) {
    EXPECT_EQ(crc32_of({}), 0u);
    EXPECT_EQ(crc32_of(bytes_of_text("123456789")), 0xcbf43926u);
}

}  // namespace
}  // namespace mirror::formats
