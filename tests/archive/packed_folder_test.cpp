// Packed folders: honest ones of every kind are read, and whatever lies, hides or leads out is refused in one sentence.

#include "engine/archive/packed_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <zip.h>

#include <stop_token>

#include "tests/archive/archive_fixture.h"
#include "tests/support/torch_archive_writer.h"

namespace mirror::archive::testing {

namespace {

using mirror::testing::little_endian;
using mirror::testing::zip_file;
using mirror::testing::ZipPart;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kLandmark = "project.json";
constexpr std::uint16_t kDeflated = 8;

ZipPart part(const std::string& name, const std::string& data = "") {
    ZipPart made;
    made.name = name;
    made.data = data;
    return made;
}

std::string replaced(std::string file, std::size_t at, const std::string& bytes) {
    return file.replace(at, bytes.size(), bytes);
}

std::size_t directory_of(const std::string& file) { return file.find("PK\x01\x02"); }

// The archive as a Unix program makes it, which is when attributes say what an entry is.
std::string made_by_unix(std::string file) {
    for (std::size_t at = directory_of(file); at != std::string::npos; at = file.find("PK\x01\x02", at + 1))
        file[at + 5] = 3;
    return file;
}

ZipPart of_kind(std::uint32_t mode) {
    ZipPart made = part("x", "12345678");
    made.attributes = mode << 16;
    return made;
}

class PackedFolderTest : public ArchiveTest {
protected:
    Result<std::shared_ptr<const PackedFolder>> open(const std::string& bytes, const PackedLimits& most = {}) const {
        return PackedFolder::open(put("film.mirror", bytes), kLandmark, {}, most);
    }
    std::string refusal(const std::string& bytes, const PackedLimits& most = {}) const {
        const auto opened = open(bytes, most);
        if (opened) return "accepted";
        const std::string sentence = opened.error().detail;
        EXPECT_LT(sentence.size(), 300u) << sentence;
        EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
        EXPECT_THAT(sentence, HasSubstr("film.mirror"));
        EXPECT_EQ(opened.error().code, ErrorCode::MalformedFile) << sentence;
        EXPECT_EQ(files_here(), 1u);
        return sentence;
    }
    // A real archive of one deflated entry.
    std::string deflated(const std::string& name, const std::string& data) const {
        const std::string made = path("made.zip").string();
        zip_t* const archive = zip_open(made.c_str(), ZIP_CREATE, nullptr);
        zip_source_t* const source = zip_source_buffer(archive, data.data(), data.size(), 0);
        const auto index = static_cast<zip_uint64_t>(zip_file_add(archive, name.c_str(), source, 0));
        EXPECT_EQ(zip_set_file_compression(archive, index, ZIP_CM_DEFLATE, 9), 0);
        EXPECT_EQ(zip_close(archive), 0);
        const std::string bytes = bytes_of("made.zip");
        std::filesystem::remove(made);
        return bytes;
    }
};

std::string text_of(const Result<std::vector<std::uint8_t>>& bytes) {
    return bytes ? std::string(bytes.value().begin(), bytes.value().end()) : bytes.error().detail;
}

}  // namespace

TEST_F(PackedFolderTest, ReadsWhatLiesAtTheTop) {
    const auto opened = open(zip_file({part("references/"), part("references/mara.png", "pixels"),
                                       part("project.json", "{}"), part("takes/Jón.mp4", "")}));
    ASSERT_TRUE(opened) << opened.error().detail;
    const PackedFolder& folder = *opened.value();
    EXPECT_THAT(folder.names(), ElementsAre("project.json", "references/mara.png", "takes/Jón.mp4"));
    EXPECT_EQ(text_of(folder.read("references/mara.png", 6)), "pixels");
    EXPECT_EQ(text_of(folder.read("takes/Jón.mp4", 6)), "");
    EXPECT_THAT(text_of(folder.read("references/mara.png", 5)), HasSubstr("references/mara.png is larger"));
    EXPECT_EQ(folder.read("mara.png", 9).error().code, ErrorCode::MissingFile);
    EXPECT_FALSE(folder.holds("references"));
}

TEST_F(PackedFolderTest, ReadsOneFolderAtTheTop) {
    const auto opened = open(zip_file({part("film.mirror/"), part("film.mirror/project.json", "{}"),
                                       part("film.mirror/a.png", "a"), part("__MACOSX/film.mirror/._a.png", "?")}));
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_THAT(opened.value()->names(), ElementsAre("a.png", "project.json"));
    EXPECT_EQ(text_of(opened.value()->read("a.png", 1)), "a");
    EXPECT_FALSE(opened.value()->holds("film.mirror/a.png"));
}

TEST_F(PackedFolderTest, ReadsCompressedEntries) {
    std::string data;
    for (int i = 0; data.size() < 1'000'000; ++i) data += std::to_string(i);
    const auto opened = open(deflated("project.json", data));
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ(text_of(opened.value()->read("project.json", data.size())), data);
}

TEST_F(PackedFolderTest, RefusesNamesAndKindsThatAFolderCannotHave) {
    const ZipPart project = part("project.json", "{}");
    const std::vector<std::pair<std::string, std::string>> names{{"../x", "../x"},
                                                                 {"/etc/passwd", "/etc/passwd"},
                                                                 {"a/../../x", "a/../../x"},
                                                                 {"a\\x", "leaves"},
                                                                 {"", "leaves"},
                                                                 {"./x", "./x"},
                                                                 {"a//x", "a//x"},
                                                                 {"C:x", "C:x"},
                                                                 {"a\nb", "a\\nb"},
                                                                 {"a\x1b[2Jb", "characters"},
                                                                 {"\u202egpj.exe", "characters"},
                                                                 {std::string("a\0b", 3), "leaves"},
                                                                 {"caf\xe9.png", "not UTF-8"},
                                                                 {std::string(300, 'x'), "too long"},
                                                                 {std::string(2000, 'x'), "leaves"},
                                                                 {"project.json", "appears twice"}};
    for (const auto& [name, fragment] : names)
        EXPECT_THAT(refusal(zip_file({project, part(name, "1")})), HasSubstr(fragment)) << name;

    for (const std::uint32_t mode : {S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK})
        EXPECT_THAT(refusal(made_by_unix(zip_file({project, of_kind(mode | 0777)}))), HasSubstr("entry x is"));
    for (const std::uint32_t mode : {0, S_IFREG})
        EXPECT_EQ(refusal(made_by_unix(zip_file({project, of_kind(mode | 0777)}))), "accepted");
    EXPECT_THAT(refusal(zip_file({project, part("folder/", "content")})), HasSubstr("folder with content"));
}

TEST_F(PackedFolderTest, RefusesEntriesThatCannotBeReadAsTheyAre) {
    const auto with = [&](void (*change)(ZipPart&)) {
        ZipPart bad = part("a.png", "12345678");
        change(bad);
        return refusal(zip_file({part("project.json", "{}"), bad}));
    };
    EXPECT_THAT(with([](ZipPart& bad) { bad.flags = 1; }), HasSubstr("a.png is encrypted"));
    EXPECT_THAT(with([](ZipPart& bad) { bad.flags = 0x41; }), HasSubstr("a.png is encrypted"));
    for (const int method : {1, 6, 9, 12, 14, 93, 95, 98, 99}) {
        ZipPart bad = part("a.png", "12345678");
        bad.method = static_cast<std::uint16_t>(method);
        EXPECT_THAT(refusal(zip_file({part("project.json"), bad})), HasSubstr("a.png is compressed in an unknown way"));
    }
    EXPECT_THAT(with([](ZipPart& bad) { bad.wrong_checksum = true; }), HasSubstr("a.png is damaged: its checksum"));
    EXPECT_THAT(with([](ZipPart& bad) { bad.method = kDeflated; }), HasSubstr("a.png"));
    EXPECT_THAT(with([](ZipPart& bad) { bad.name_before_data = "b.png"; }), HasSubstr("disagree"));
    EXPECT_THAT(with([](ZipPart& bad) { bad.longer = 1; }), HasSubstr("a.png"));
    EXPECT_THAT(with([](ZipPart& bad) { bad.moved = -8; }), HasSubstr("a.png"));
    EXPECT_THAT(with([](ZipPart& bad) { bad.moved = 1 << 20; }), HasSubstr("a.png"));
}

TEST_F(PackedFolderTest, RefusesWhatIsNoArchive) {
    const std::string whole = zip_file({part("project.json", "{}"), part("a.png", "12345678")});
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_NE(refusal(whole.substr(0, size)), "accepted") << size;
    EXPECT_THAT(refusal(whole + "more"), HasSubstr("follows the archive"));
    EXPECT_NE(refusal("MZ" + whole), "accepted");
    EXPECT_NE(refusal("\x1f\x8b" + std::string(100, '\0')), "accepted");
    EXPECT_THAT(refusal(zip_file({})), HasSubstr("project.json"));
    EXPECT_THAT(refusal(zip_file({part("a/b/project.json")})), HasSubstr("holds no project.json"));
    EXPECT_THAT(refusal(zip_file({part("project.json/")})), HasSubstr("holds no project.json"));
    EXPECT_THAT(refusal(zip_file({part("a/project.json"), part("b/project.json")})), HasSubstr("2 folders"));
}

TEST_F(PackedFolderTest, RefusesAnyFlippedBitThatMatters) {
    const std::string whole = zip_file({part("project.json", "{}"), part("a.png", "12345678")});
    const std::size_t data = whole.find("12345678");
    for (std::size_t bit = 0; bit < 64; ++bit) {
        std::string bad = whole;
        bad[data + bit / 8] = static_cast<char>(bad[data + bit / 8] ^ (1 << (bit % 8)));
        EXPECT_THAT(refusal(bad), HasSubstr("a.png is damaged"));
    }
}

TEST_F(PackedFolderTest, CountsWhatEntriesUnpackTo) {
    const std::string honest = deflated("project.json", std::string(1'000'000, ' '));
    constexpr std::size_t kSizeBeforeData = 22, kSizeInDirectory = 24;
    const auto saying = [&](std::uint64_t size) {
        const std::string local = replaced(honest, kSizeBeforeData, little_endian(size, 4));
        return replaced(local, directory_of(local) + kSizeInDirectory, little_endian(size, 4));
    };
    EXPECT_EQ(refusal(saying(1'000'000)), "accepted");
    EXPECT_THAT(refusal(saying(1000)), HasSubstr("project.json unpacks to more bytes than it says"));
    EXPECT_THAT(refusal(saying(1'000'001)), HasSubstr("project.json is"));
    EXPECT_THAT(refusal(saying(limits::kPackedEntryBytes + 1)), HasSubstr("project.json is larger than 1073741824"));
}

TEST_F(PackedFolderTest, KeepsItsLimits) {
    const std::string file = zip_file({part("a", "12345"), part("b", "123"), part("project.json", "{}")});
    for (const std::uint64_t step : {0, 1}) {
        EXPECT_EQ(refusal(file, {3 + step, 5 + step, 10 + step}), "accepted");
        EXPECT_THAT(refusal(file, {2 - step, 5, 10}), HasSubstr("entries"));
        EXPECT_THAT(refusal(file, {3, 4 - step, 10}), HasSubstr("a is larger"));
        EXPECT_THAT(refusal(file, {3, 5, 9 - step}), HasSubstr("unpacks to more"));
    }
    // A million entries are claimed, and none is there.
    const std::string claim = "PK\x06\x06" + little_endian(44, 8) + little_endian(0, 12) +
                              little_endian(1'000'000'000, 8) + little_endian(1'000'000'000, 8) + little_endian(0, 16) +
                              "PK\x06\x07" + little_endian(0, 12) + little_endian(1, 4) + "PK\x05\x06" +
                              little_endian(0, 4) + little_endian(0xffffffff, 4) + little_endian(0, 4) +
                              little_endian(0xffffffff, 4) + little_endian(0, 2);
    EXPECT_NE(refusal(claim), "accepted");
}

TEST_F(PackedFolderTest, TellsWhatIsNoFile) {
    const auto refused = [&](const std::string& name) {
        const auto opened = PackedFolder::open(path(name), kLandmark, {});
        return opened ? std::string("accepted") : opened.error().detail;
    };
    EXPECT_THAT(refused("gone.mirror"), HasSubstr("gone.mirror"));
    ASSERT_EQ(::mkfifo(path("pipe.mirror").c_str(), 0600), 0);
    EXPECT_THAT(refused("pipe.mirror"), HasSubstr("neither a folder nor a regular file"));
    put("empty.mirror", "");
    EXPECT_THAT(refused("empty.mirror"), HasSubstr("is empty"));
}

TEST_F(PackedFolderTest, AStopEndsTheReading) {
    std::stop_source source;
    source.request_stop();
    const auto file = put("film.mirror", zip_file({part("project.json", "{}")}));
    const auto opened = PackedFolder::open(file, kLandmark, source.get_token());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::Cancelled);
}

}  // namespace mirror::archive::testing
