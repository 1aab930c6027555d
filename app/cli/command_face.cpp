// face: what the detector finds on photographs, and what the encoders will see.

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "app/cli/command.h"
#include "app/cli/option_values.h"
#include "app/cli/run_observer.h"
#include "engine/core/durable_replace.h"
#include "engine/core/face.h"
#include "engine/core/utf8.h"
#include "engine/face/face_reader.h"
#include "engine/media/png_sink.h"
#include "engine/session/output_rules.h"

namespace mirror::cli {

namespace {

using Json = nlohmann::json;

constexpr int kMostFaces = 10'000;

struct FaceOptions {
    std::vector<std::string> photos;
    std::optional<int> face;
    std::string crops;
    bool json = false;
};

std::string photo_json(const std::string& file, const PhotoFaces& photo, const std::vector<int>& numbers) {
    Json faces = Json::array();
    for (const int number : numbers) {
        const FaceBox& face = photo.faces[static_cast<std::size_t>(number - 1)];
        Json landmarks = Json::array();
        for (const Point& point : face.landmarks) landmarks.push_back({point.x, point.y});
        faces.push_back(
            {{"box", {face.x0, face.y0, face.x1, face.y1}}, {"score", face.score}, {"landmarks", landmarks}});
    }
    const Json object = {{"file", file}, {"width", photo.width}, {"height", photo.height}, {"faces", faces}};
    return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string face_text(int number, const FaceBox& face) {
    const auto pixel = [](double value) { return std::to_string(static_cast<int>(std::lround(value))); };
    return "  face " + std::to_string(number) + ": " + pixel(face.x0) + "," + pixel(face.y0) + " to " + pixel(face.x1) +
           "," + pixel(face.y1) + ", score " + std::to_string(face.score);
}

// The faces to report, counted from 1.
Result<std::vector<int>> chosen_faces(const PhotoFaces& photo, const std::string& file, std::optional<int> wanted) {
    std::vector<int> numbers;
    const int count = static_cast<int>(photo.faces.size());
    if (!wanted || count == 0) {
        for (int number = 1; number <= count; ++number) numbers.push_back(number);
        return numbers;
    }
    if (*wanted > count)
        return Error{ErrorCode::NoFaceFound, "'" + escape_for_message(file) + "' has " + std::to_string(count) +
                                                 (count == 1 ? " face" : " faces") + ", there is no --face " +
                                                 std::to_string(*wanted)};
    return std::vector<int>{*wanted};
}

void stop_if_asked(const Invocation& invocation) {
    if (invocation.stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "stopped by the user");
}

Error in_photo(const std::string& photo, const Error& error) {
    return {error.code, "'" + escape_for_message(photo) + "': " + error.detail};
}

std::filesystem::path crop_file(const FaceOptions& options, const std::string& photo, int number, int side) {
    return std::filesystem::path(options.crops) / (std::filesystem::path(photo).stem().string() + "-" +
                                                   std::to_string(number) + "-" + std::to_string(side) + ".png");
}

Status write_crops(const FaceOptions& options, FaceReader& reader, const std::string& photo, const Frame& picture,
                   int number, const FaceBox& face) {
    const auto crops = reader.crops(picture, face);
    if (!crops) return in_photo(photo, crops.error());
    for (const Frame* crop : {&crops.value().aligned, &crops.value().square}) {
        const auto file = crop_file(options, photo, number, crop->width);
        std::vector<std::filesystem::path> inputs(options.photos.begin(), options.photos.end());
        if (const Status allowed = engine::check_output(file, inputs); !allowed) return allowed;
        if (const Status written = media::write_png(file, *crop); !written) return written;
    }
    return success();
}

Status report_photo(const FaceOptions& options, FaceReader& reader, const std::string& photo,
                    const Invocation& invocation) {
    Console& console = invocation.console;
    const auto picture = reader.load(photo);
    if (!picture) return picture.error();
    auto faces = reader.find(picture.value());
    if (!faces) return in_photo(photo, faces.error());
    const PhotoFaces found{photo, picture.value().width, picture.value().height, std::move(faces).value()};
    const auto numbers = chosen_faces(found, photo, options.face);
    if (!numbers) return numbers.error();
    if (options.json) {
        console.event(photo_json(photo, found, numbers.value()));
    } else {
        console.print_line(escape_for_message(photo, 4096) + ": " + std::to_string(found.width) + "x" +
                           std::to_string(found.height) + (numbers.value().empty() ? ", no face" : ""));
        for (const int number : numbers.value())
            console.print_line(face_text(number, found.faces[static_cast<std::size_t>(number - 1)]));
    }
    if (options.crops.empty()) return success();
    for (const int number : numbers.value()) {
        stop_if_asked(invocation);
        const FaceBox& face = found.faces[static_cast<std::size_t>(number - 1)];
        const Status written = write_crops(options, reader, photo, picture.value(), number, face);
        if (!written) return written;
    }
    return success();
}

// Two photographs of one name would write the same crops.
void check_crop_names(const FaceOptions& options) {
    std::set<std::string> names;
    for (const std::string& photo : options.photos)
        if (!names.insert(std::filesystem::path(photo).stem().string()).second)
            throw EngineError(ErrorCode::WriteFailed,
                              "--crops: two photographs are called '" +
                                  escape_for_message(std::filesystem::path(photo).stem().string()) +
                                  "', so their crops would have the same names");
}

void run_face(const FaceOptions& options, Invocation& invocation) {
    if (!options.crops.empty()) {
        check_crop_names(options);
        value_or_throw(make_folders(options.crops));
    }
    const auto reader = face::make_face_reader();
    std::optional<Error> first;
    int failures = 0;
    for (const std::string& photo : options.photos) {
        stop_if_asked(invocation);
        const Status status = report_photo(options, *reader, photo, invocation);
        if (status) continue;
        ++failures;
        if (!first) first = status.error();
    }
    if (!first) return;
    if (failures > 1) first->detail += " (and " + std::to_string(failures - 1) + " more)";
    throw EngineError(*first);
}

}  // namespace

void add_face_command(CLI::App& program, Action& chosen) {
    CLI::App* command = program.add_subcommand("face", "Find faces on photographs");
    command->footer(
        "Where a detecting network lies in the folder that MIRROR_FACE_MODELS names (insightface's det_10g.onnx or "
        "scrfd_10g_bnkps.onnx, or YuNet of OpenCV's model zoo), that network finds the faces; otherwise dlib does.");
    const auto options = std::make_shared<FaceOptions>();
    command->add_option("photo", options->photos, "Photographs: JPEG, PNG, WebP, BMP, TIFF")->required();
    add_value(*command, "--face", "Only this face, counted from 1", [options](const std::string& text) {
        options->face = static_cast<int>(integer_value("--face", text, 1, kMostFaces));
    });
    add_value(*command, "--crops", "A folder for what the encoders see of each face (PNG)",
              [options](const std::string& text) { options->crops = text; });
    add_switch(*command, "--json", "One JSON object a photograph", options->json);
    command->callback(
        [options, &chosen] { chosen = [options](Invocation& invocation) { run_face(*options, invocation); }; });
}

}  // namespace mirror::cli
