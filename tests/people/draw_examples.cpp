// Draws the people of resources/examples, or a numbered sheet of candidates to choose from.
//
//   mirror_draw_examples FOLDER            drawn-mara.png and the others
//   mirror_draw_examples --sheet OUT.png FIRST   portraits of 40 held-out people from number FIRST on
//
// All of them are of the test split: no model of this project has seen them.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "engine/media/png_sink.h"
#include "engine/training/people/people.h"

namespace {

using namespace mirror;
using namespace mirror::people;

constexpr int kSide = 384;

// A portrait: its person's number in the test split, and the seed of pose, clothes, place and light.
struct Example {
    const char* name;
    std::uint64_t person;
    std::uint64_t scene;
};
constexpr std::array<Example, 4> kExamples{{{"mara", 54, 6}, {"otto", 78, 5}, {"ingrid", 34, 7}, {"finn", 32, 1}}};

Frame portrait(std::uint64_t person, std::uint64_t scene, int side) {
    return render_frame(reference_portrait(identity_seed(Split::Test, person), scene, side), 0);
}

bool write(const std::filesystem::path& file, const Frame& picture) {
    const Status written = media::write_png(file, picture);
    if (!written) std::cerr << written.error().detail << '\n';
    return written.ok();
}

Frame sheet(std::uint64_t first) {
    constexpr int kColumns = 8, kRows = 5, kSmall = 160;
    Frame all{kColumns * kSmall, kRows * kSmall, {}};
    all.rgb.resize(static_cast<std::size_t>(all.width) * all.height * 3);
    for (int i = 0; i < kColumns * kRows; ++i) {
        const Frame picture = portrait(first + static_cast<std::uint64_t>(i), 0, kSmall);
        for (int y = 0; y < kSmall; ++y)
            std::copy_n(picture.row(y), 3 * kSmall, all.row(i / kColumns * kSmall + y) + 3 * (i % kColumns) * kSmall);
    }
    return all;
}

}  // namespace

int main(int count, char** arguments) {
    if (count == 4 && std::string(arguments[1]) == "--sheet")
        return write(arguments[2], sheet(std::strtoull(arguments[3], nullptr, 10))) ? 0 : 1;
    if (count != 2) {
        std::cerr << "usage: mirror_draw_examples FOLDER | --sheet OUT.png FIRST\n";
        return 2;
    }
    for (const Example& example : kExamples) {
        const auto file = std::filesystem::path(arguments[1]) / ("drawn-" + std::string(example.name) + ".png");
        if (!write(file, portrait(example.person, example.scene, kSide))) return 1;
    }
    return 0;
}
