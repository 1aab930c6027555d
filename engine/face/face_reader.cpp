#include "engine/face/face_reader.h"

#include <opencv2/core/utils/logger.hpp>

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "engine/core/utf8.h"
#include "engine/face/alignment.h"
#include "engine/face/face_detector.h"
#include "engine/face/face_models.h"
#include "engine/face/onnx_recognizer.h"
#include "engine/face/photograph.h"

namespace mirror::face {
namespace {

constexpr int aligned_size = 112;
constexpr int square_size = 224;
constexpr double square_expand = 2.0;
constexpr const char* nameless = "the picture";

// Nothing that a library throws passes the reader.
template <typename T, typename Work>
Result<T> guarded(const std::filesystem::path& photo, Work work) {
    const std::string name = path_for_message(photo.filename());
    try {
        return work();
    } catch (const EngineError& error) {
        return error.error();
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::OutOfMemory, name + " needs more memory than there is."};
    } catch (const std::exception&) {
        return Error{ErrorCode::Internal, name + " could not be searched for faces."};
    }
}

Error with_name(const std::filesystem::path& photo, const Error& error) {
    return {error.code, path_for_message(photo.filename()) + ": " + error.detail};
}

class PhotographReader : public FaceReader {
public:
    explicit PhotographReader(PhotographBytes bytes) : bytes_(std::move(bytes)), detectors_(make_face_detectors()) {
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    }

    Result<Frame> load(const std::filesystem::path& photo) override {
        return guarded<Frame>(photo, [&] { return picture_of(photo); });
    }

    Result<PhotoFaces> find(const std::filesystem::path& photo) override {
        return guarded<PhotoFaces>(photo, [&]() -> Result<PhotoFaces> {
            const Result<Frame> picture = picture_of(photo);
            if (!picture) return picture.error();
            return PhotoFaces{photo, picture.value().width, picture.value().height,
                              find_faces(detectors_, picture.value())};
        });
    }

    Result<std::vector<FaceBox>> find(const Frame& picture) override {
        return guarded<std::vector<FaceBox>>(nameless, [&] { return find_faces(detectors_, picture); });
    }

    Result<FaceCrops> crops(const Frame& picture, const FaceBox& face) override {
        return guarded<FaceCrops>(nameless, [&]() -> Result<FaceCrops> {
            Result<Frame> aligned = align_face(picture, face.landmarks, aligned_size);
            if (!aligned) return aligned.error();
            Result<Frame> square = reference_crop(picture, face, ReferenceCrop::SquareFace, square_expand, square_size);
            if (!square) return square.error();
            return FaceCrops{std::move(aligned).value(), std::move(square).value()};
        });
    }

    Result<ReferenceFace> reference(const ReferencePhoto& photo, ReferenceCrop crop, double expand,
                                    int image_size) override {
        return guarded<ReferenceFace>(photo.file, [&]() -> Result<ReferenceFace> {
            const Result<Frame> picture = picture_of(photo.file);
            if (!picture) return picture.error();
            const Result<FaceBox> face = choose(photo, find_faces(detectors_, picture.value()));
            if (!face) return face.error();
            Result<Frame> aligned = align_face(picture.value(), face.value().landmarks, aligned_size);
            if (!aligned) return with_name(photo.file, aligned.error());
            Result<Frame> cropped = reference_crop(picture.value(), face.value(), crop, expand, image_size);
            if (!cropped) return with_name(photo.file, cropped.error());
            return ReferenceFace{face.value(), std::move(aligned).value(), std::move(cropped).value()};
        });
    }

    std::vector<std::shared_ptr<InstalledRecognizer>> recognizers() override {
        std::vector<std::shared_ptr<InstalledRecognizer>> installed;
        for (const NetworkFile& network : find_networks())
            if (is_recognizer(network.kind))
                installed.push_back(std::make_shared<OnnxRecognizer>(network.file, network.kind));
        return installed;
    }

private:
    Result<Frame> picture_of(const std::filesystem::path& photo) const {
        if (!bytes_) return read_photograph(photo);
        const auto bytes = bytes_(photo);
        if (!bytes) return bytes.error();
        return decode_photograph(bytes.value(), path_for_message(photo.filename()));
    }

    static Result<FaceBox> choose(const ReferencePhoto& photo, const std::vector<FaceBox>& faces) {
        const std::string name = path_for_message(photo.file.filename());
        if (faces.empty())
            return Error{ErrorCode::NoFaceFound,
                         name +
                             " shows no face that could be found; choose a photograph in which the face is large, "
                             "upright and turned to the camera."};
        const int number = photo.face.value_or(1);
        if (number < 1 || static_cast<std::size_t>(number) > faces.size()) {
            const std::string count = faces.size() == 1 ? "1 face" : std::to_string(faces.size()) + " faces";
            return Error{ErrorCode::NoFaceFound,
                         name + " shows " + count + "; face " + std::to_string(number) + " does not exist."};
        }
        return faces[static_cast<std::size_t>(number) - 1];
    }

    PhotographBytes bytes_;  // Empty: photographs are files.
    std::vector<std::unique_ptr<FaceDetector>> detectors_;
};

}  // namespace

std::unique_ptr<FaceReader> make_face_reader() { return make_face_reader({}); }

std::unique_ptr<FaceReader> make_face_reader(PhotographBytes bytes) {
    return std::make_unique<PhotographReader>(std::move(bytes));
}

}  // namespace mirror::face
