#include "engine/face/dlib_faces.h"

// dlib's own algebra is enough for its small matrices. Bound to the system's BLAS, the program could get that one in
// the place of libtorch's much faster one. The first two headers bring dlib's configuration.
#include <dlib/assert.h>
#include <dlib/test_for_odr_violations.h>
#undef DLIB_USE_BLAS
#undef DLIB_USE_LAPACK
#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/image_processing/shape_predictor.h>
#include <dlib/serialize.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <istream>
#include <mutex>
#include <new>
#include <streambuf>
#include <string>

#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/face/face_models.h"

namespace mirror::face {

struct DlibFaces::Models {
    dlib::frontal_face_detector detector;
    dlib::shape_predictor predictor;
};

namespace {

constexpr unsigned landmark_count = 68;

dlib::array2d<dlib::rgb_pixel> to_dlib(const Frame& picture) {
    static_assert(sizeof(dlib::rgb_pixel) == 3);
    dlib::array2d<dlib::rgb_pixel> image(picture.height, picture.width);
    for (int y = 0; y < picture.height; ++y)
        std::memcpy(static_cast<void*>(&image[y][0]), picture.row(y), static_cast<std::size_t>(picture.width) * 3);
    return image;
}

// dlib reads its numbers byte by byte; out of memory that takes a quarter of the time.
class MemoryBuffer : public std::streambuf {
public:
    explicit MemoryBuffer(std::string& bytes) { setg(bytes.data(), bytes.data(), bytes.data() + bytes.size()); }

protected:
    std::streamsize xsgetn(char* target, std::streamsize count) override {
        const std::streamsize given = std::min<std::streamsize>(count, egptr() - gptr());
        for (std::streamsize i = 0; i < given; ++i) target[i] = gptr()[i];
        setg(eback(), gptr() + given, egptr());
        return given;
    }
};

std::string read_file(const std::filesystem::path& file) {
    std::string bytes(static_cast<std::size_t>(std::filesystem::file_size(file)), '\0');
    std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return bytes;
}

void read_predictor(dlib::shape_predictor& predictor) {
    const std::filesystem::path file = find_landmark_model();
    try {
        std::string bytes = read_file(file);
        MemoryBuffer buffer(bytes);
        std::istream stream(&buffer);
        dlib::deserialize(predictor, stream);
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception&) {
        predictor = {};
    }
    if (predictor.num_parts() != landmark_count)
        throw EngineError(ErrorCode::MalformedFile,
                          "The face model " + path_for_message(file.filename()) + " is damaged; install it again.");
}

Point middle(const dlib::full_object_detection& shape, unsigned first, unsigned last) {
    Point sum;
    for (unsigned i = first; i <= last; ++i) {
        sum.x += static_cast<double>(shape.part(i).x());
        sum.y += static_cast<double>(shape.part(i).y());
    }
    return {sum.x / (last - first + 1), sum.y / (last - first + 1)};
}

}  // namespace

// 100 MB of landmarks model: shared by every reader that is alive.
DlibFaces::DlibFaces() {
    static std::mutex mutex;
    static std::weak_ptr<const Models> shared;
    const std::lock_guard lock(mutex);
    models_ = shared.lock();
    if (models_) return;
    auto models = std::make_shared<Models>();
    models->detector = dlib::get_frontal_face_detector();
    read_predictor(models->predictor);
    models_ = models;
    shared = models_;
}

DlibFaces::~DlibFaces() = default;

double DlibFaces::score_of(double margin) { return 0.5 + 0.5 * std::tanh(margin); }
double DlibFaces::margin_of(double score) { return std::atanh(2 * score - 1); }

std::vector<FaceBox> DlibFaces::boxes(const Frame& picture, double margin) const {
    dlib::frontal_face_detector detector = models_->detector;  // It keeps the picture's features: not shareable.
    std::vector<dlib::rect_detection> found;
    detector(to_dlib(picture), found, margin);
    std::vector<FaceBox> faces;
    for (const dlib::rect_detection& one : found) {
        FaceBox face;
        face.x0 = static_cast<double>(one.rect.left());
        face.y0 = static_cast<double>(one.rect.top());
        face.x1 = static_cast<double>(one.rect.right() + 1);
        face.y1 = static_cast<double>(one.rect.bottom() + 1);
        face.score = score_of(one.detection_confidence);
        faces.push_back(face);
    }
    return faces;
}

std::array<Point, 5> DlibFaces::landmarks(const Frame& picture, const FaceBox& box) const {
    const dlib::rectangle where(std::lround(box.x0), std::lround(box.y0), std::lround(box.x1) - 1,
                                std::lround(box.y1) - 1);
    const dlib::full_object_detection shape = models_->predictor(to_dlib(picture), where);
    return {middle(shape, 36, 41), middle(shape, 42, 47), middle(shape, 30, 30), middle(shape, 48, 48),
            middle(shape, 54, 54)};
}

}  // namespace mirror::face
