#pragma once

// Faces as plain values: what the detector found, and what the encoders will see of it.

#include <array>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/core/frame.h"
#include "engine/core/request.h"
#include "engine/core/result.h"

namespace mirror {

struct Point {
    double x = 0;
    double y = 0;
    friend bool operator==(const Point&, const Point&) = default;
};

// Pixels of the upright picture. Landmarks: the eyes, the nose tip, the mouth corners, image left before image right.
struct FaceBox {
    double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    double score = 0;
    std::array<Point, 5> landmarks{};
    bool drawn = false;  // Of a drawn person, as the built-in model knows them.
};

// What one photograph holds. faces[0] is the one chosen when nothing is said.
struct PhotoFaces {
    std::filesystem::path file;
    int width = 0;
    int height = 0;
    std::vector<FaceBox> faces;
};

// The pictures that the encoders see, exactly.
struct FaceCrops {
    Frame aligned;  // 112 x 112, five-point similarity transform
    Frame square;   // 224 x 224, the square crop (its side: ref_crop_expand times the longer side of the box)
};

// How the reference crop is cut (magic-mirror.md S3).
enum class ReferenceCrop { SquareFace, Whole, Arcface112 };

// One reference ready for the encoders.
struct ReferenceFace {
    FaceBox face;
    Frame aligned;  // 112 x 112
    Frame crop;     // image_size x image_size as the tower's config says, resized with antialiased bicubic
};

// A face recogniser that lies among the face models instead of in a checkpoint.
class InstalledRecognizer {
public:
    virtual ~InstalledRecognizer() = default;

    virtual const std::filesystem::path& file() const = 0;
    // The embedding space, as adapters name it: "buffalo_l/w600k_r50"; "custom" if the file is an unknown one.
    virtual const std::string& id_pack() const = 0;
    // The raw vector of each aligned 112 x 112 face, in order. The file is read at first use. Errors: MissingFile,
    // MalformedFile.
    virtual Result<std::vector<std::vector<float>>> embed(std::span<const Frame> aligned) = 0;
};

// Reads photographs and finds faces. Implemented by engine/face; the session and the window only know this.
// Not thread-safe; make one for each thread. No exception leaves it.
class FaceReader {
public:
    virtual ~FaceReader() = default;

    // The upright 8-bit RGB picture: EXIF applied, alpha on white. Errors: MissingFile, MalformedFile.
    virtual Result<Frame> load(const std::filesystem::path& photo) = 0;
    virtual Result<PhotoFaces> find(const std::filesystem::path& photo) = 0;
    // Of a picture that load() gave: a photograph is decoded once, however much is asked about it.
    virtual Result<std::vector<FaceBox>> find(const Frame& picture) = 0;
    virtual Result<FaceCrops> crops(const Frame& picture, const FaceBox& face) = 0;
    // NoFaceFound names the file and, when several faces or a wrong number, how many there are.
    virtual Result<ReferenceFace> reference(const ReferencePhoto& photo, ReferenceCrop crop, double expand,
                                            int image_size) = 0;
    // What is installed, the files with known names first.
    virtual std::vector<std::shared_ptr<InstalledRecognizer>> recognizers() { return {}; }
};

}  // namespace mirror
