// Draws contact sheets of the drawn people, to look at them.
//
//   mirror_people_sheet KIND OUT.png [SIZE] [SEED]
//   KIND: golden (writes golden_scenes.txt), captions (prints some), people, actions, styles, places, garments,
//   cameras, all, portrait (one person's picture), speed (prints frames/s)

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/training/people/caption.h"
#include "engine/training/people/people.h"
#include "tests/people/golden_scenes.h"
#include "tests/people/png.h"

namespace {

using namespace mirror;
using namespace mirror::people;

using Row = std::vector<Frame>;

Frame still(const SceneRequest& scene) { return render_frame(scene, 0); }

// Frames of a clip, evenly spaced.
Row strip(const SceneRequest& scene, int columns) {
    Row row;
    for (int column = 0; column < columns; ++column)
        row.push_back(render_frame(scene, (scene.frames - 1) * column / (columns - 1)));
    return row;
}

SceneRequest plain_scene(std::uint64_t seed, int size) {
    SceneOptions options;
    options.frames = 1;
    options.width = options.height = size;
    options.other_style_share = 0;
    return random_scene(seed, Split::Test, options);
}

std::vector<Row> people_rows(int size, std::uint64_t seed, int rows) {
    std::vector<Row> sheet;
    for (int row = 0; row < rows; ++row) {
        Row pictures;
        for (int column = 0; column < 8; ++column) {
            const auto index = static_cast<std::uint64_t>(row * 8 + column);
            SceneRequest scene = plain_scene(seed + index, size);
            scene.identity = identity_of(identity_seed(Split::Test, seed + index));
            scene.place = static_cast<Place>((row * 3 + column) % kPlaces);
            scene.light = Light::Neutral;
            scene.portrait = row % 2 == 0;
            pictures.push_back(still(scene));
        }
        sheet.push_back(std::move(pictures));
    }
    return sheet;
}

std::vector<Row> action_rows(int size, std::uint64_t seed) {
    std::vector<Row> sheet;
    for (int action = 0; action < kActions; ++action) {
        SceneRequest scene = plain_scene(seed + static_cast<std::uint64_t>(action), size);
        scene.action = static_cast<Action>(action);
        scene.frames = 17;
        scene.light = Light::Neutral;
        scene.camera = Camera::Still;
        sheet.push_back(strip(scene, 8));
    }
    return sheet;
}

std::vector<Row> style_rows(int size, std::uint64_t seed) {
    std::vector<Row> sheet;
    for (int style = 0; style < kStyles; ++style) {
        Row pictures;
        for (int column = 0; column < 8; ++column) {
            SceneRequest scene = plain_scene(seed + static_cast<std::uint64_t>(column), size);
            scene.style = static_cast<Style>(style);
            scene.light = Light::Neutral;
            pictures.push_back(still(scene));
        }
        sheet.push_back(std::move(pictures));
    }
    return sheet;
}

template <typename Change>
std::vector<Row> varied_row(int size, std::uint64_t seed, int count, const Change& change) {
    std::vector<Row> sheet;
    for (int column = 0; column < count; ++column) {
        SceneRequest scene = plain_scene(seed + static_cast<std::uint64_t>(column), size);
        scene.light = Light::Neutral;
        change(scene, column);
        if (column % 8 == 0) sheet.emplace_back();
        sheet.back().push_back(still(scene));
    }
    return sheet;
}

std::vector<Row> place_rows(int size, std::uint64_t seed) {
    return varied_row(size, seed, kPlaces,
                      [](SceneRequest& scene, int column) { scene.place = static_cast<Place>(column); });
}

std::vector<Row> garment_rows(int size, std::uint64_t seed) {
    return varied_row(size, seed, 2 * kGarments, [](SceneRequest& scene, int column) {
        scene.garment = static_cast<Garment>(column % kGarments);
        scene.colour = static_cast<GarmentColour>((column + column / kGarments * 3) % kGarmentColours);
    });
}

std::vector<Row> camera_rows(int size, std::uint64_t seed) {
    std::vector<Row> sheet;
    for (int camera = 1; camera < kCameras; ++camera) {
        SceneRequest scene = plain_scene(seed + static_cast<std::uint64_t>(camera), size);
        scene.camera = static_cast<Camera>(camera);
        scene.action = Action::Blink;
        scene.frames = 17;
        sheet.push_back(strip(scene, 8));
    }
    return sheet;
}

void append(std::vector<Row>& sheet, std::vector<Row> rows) {
    for (Row& row : rows) sheet.push_back(std::move(row));
}

std::vector<Row> whole_sheet(int size, std::uint64_t seed) {
    std::vector<Row> sheet = people_rows(size, seed, 4);
    append(sheet, style_rows(size, seed + 80));
    return sheet;
}

std::vector<Row> rows_of(const std::string& kind, int size, std::uint64_t seed) {
    if (kind == "people") return people_rows(size, seed, 6);
    if (kind == "actions") return action_rows(size, seed);
    if (kind == "styles") return style_rows(size, seed);
    if (kind == "places") return place_rows(size, seed);
    if (kind == "garments") return garment_rows(size, seed);
    if (kind == "cameras") return camera_rows(size, seed);
    if (kind == "portrait") return {{still(reference_portrait(identity_seed(Split::Test, seed), seed, size))}};
    return whole_sheet(size, seed);
}

Frame joined(const std::vector<Row>& rows) {
    const int width = rows.front().front().width, height = rows.front().front().height;
    Frame sheet{width * static_cast<int>(rows.front().size()), height * static_cast<int>(rows.size()), {}};
    sheet.rgb.assign(static_cast<std::size_t>(sheet.width) * static_cast<std::size_t>(sheet.height) * 3, 255);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (std::size_t column = 0; column < rows[row].size(); ++column) {
            for (int y = 0; y < height; ++y) {
                const std::uint8_t* from = rows[row][column].row(y);
                std::copy(from, from + 3 * width,
                          sheet.row(static_cast<int>(row) * height + y) + 3 * column * static_cast<std::size_t>(width));
            }
        }
    }
    return sheet;
}

int print_speed(int size) {
    SceneOptions options;
    options.frames = 1;
    options.width = options.height = size;
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t used = std::clock();
    int frames = 0;
    for (; frames < 600; ++frames) render(random_scene(static_cast<std::uint64_t>(frames), Split::Train, options));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double processor = static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC;
    std::cout << frames / processor << " frames per second of processor time, " << frames / seconds
              << " of wall time, at " << size << " x " << size << '\n';
    return 0;
}

std::string golden_text() {
    std::string text;
    for (const SceneRequest& scene : people_test::golden_scenes()) {
        int column = 0;
        for (const int mean : people_test::block_means(scene))
            text += std::to_string(mean) + (++column % 36 == 0 ? '\n' : ' ');
    }
    return text;
}

int print_captions() {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const SceneRequest scene = random_scene(seed, Split::Train);
        std::cout << caption(scene, {seed, CaptionLength::Any, seed % 2 == 0, seed % 4 == 1}) << '\n';
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 3) {
        std::cerr << "usage: mirror_people_sheet KIND OUT.png [SIZE] [SEED]\n";
        return 2;
    }
    const std::string kind = arguments[1];
    const int size = count > 3 ? std::atoi(arguments[3]) : 96;
    const std::uint64_t seed = count > 4 ? std::strtoull(arguments[4], nullptr, 10) : 0;
    if (kind == "speed") return print_speed(size);
    if (kind == "captions") return print_captions();
    const std::string bytes =
        kind == "golden" ? golden_text() : people_test::png_bytes(joined(rows_of(kind, size, seed)));
    const Status written = durable_replace(arguments[2], bytes);
    if (!written.ok()) std::cerr << written.error().detail << '\n';
    return written.ok() ? 0 : 1;
}
