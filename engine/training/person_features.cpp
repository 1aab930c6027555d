#include "engine/training/person_features.h"

#include <algorithm>

#include "engine/training/people/identity.h"

namespace mirror::engine::training {

namespace {

// Rows of length 1, in float32: a cosine in bfloat16 is too coarse.
at::Tensor unit_rows(const at::Tensor& x) {
    const at::Tensor exact = x.to(at::kFloat);
    return exact / exact.norm(2, -1, /*keepdim=*/true).clamp_min(1e-8);
}

at::Tensor code_of(const people::Identity& identity) {
    const std::vector<float> code = people::identity_code(identity);
    return at::tensor(code, at::kFloat);
}

people::SceneRequest scene_of(const PeopleOptions& options, std::uint64_t person, std::uint64_t choice, bool portrait) {
    if (portrait) return people::reference_portrait(person, choice, options.size);
    people::SceneOptions scenes;
    scenes.frames = 1;
    scenes.width = scenes.height = options.size;
    scenes.other_style_share = options.styles;
    scenes.combinations = people::Combinations::Any;
    return people::random_scene_of(person, choice, scenes);
}

struct Rows {
    std::vector<at::Tensor> aligned, crops, codes;
    std::vector<std::int64_t> classes;
    std::vector<people::SceneRequest> scenes;

    void add(const people::SceneRequest& scene, std::int64_t index, std::int64_t crop_size, double expand,
             const ReferenceChanges& changes, RandomStream& random) {
        ReferencePictures pictures = reference_pictures(draw(scene), 0, crop_size, expand, changes, random);
        aligned.push_back(std::move(pictures.aligned));
        crops.push_back(std::move(pictures.crop));
        codes.push_back(code_of(scene.identity));
        classes.push_back(index);
        scenes.push_back(scene);
    }
    PeopleBatch batch() {
        return {at::stack(aligned), at::stack(crops), at::stack(codes), at::tensor(classes, at::kLong),
                std::move(scenes)};
    }
};

}  // namespace

PeopleOptions PeopleOptions::read(const ConfigReader& file) {
    file.refuse_unknown({"people", "portraits", "size", "styles"});
    PeopleOptions options;
    options.people = file.integer_or("people", options.people, 2, std::int64_t{1} << 24);
    options.portraits = file.number_or("portraits", options.portraits, 0.0, 1.0);
    options.size = static_cast<int>(file.integer_or("size", options.size, 32, 1024));
    options.styles = file.number_or("styles", options.styles, 0.0, people::kMostOtherStyleShare);
    return options;
}

PeopleBatch people_batch(const PeopleOptions& options, people::Split split, std::uint64_t seed, std::int64_t first,
                         std::int64_t count, std::int64_t crop_size, double expand, const ReferenceChanges& changes) {
    Rows rows;
    for (std::int64_t i = 0; i < count; ++i) {
        RandomStream random(seed, Purpose::Sample, static_cast<std::uint64_t>(first + i));
        const std::int64_t index = random.below(options.people);
        const std::uint64_t person = people::identity_seed(split, static_cast<std::uint64_t>(index));
        const std::uint64_t choice = random.bits();
        rows.add(scene_of(options, person, choice, random.chance(options.portraits)), index, crop_size, expand, changes,
                 random);
    }
    return rows.batch();
}

PeopleBatch gallery_batch(const PeopleOptions& options, people::Split split, std::int64_t people, std::int64_t pictures,
                          std::int64_t crop_size, double expand) {
    Rows rows;
    for (std::int64_t i = 0; i < people * pictures; ++i) {
        RandomStream random(3, Purpose::Grid, static_cast<std::uint64_t>(i));
        const std::int64_t index = i / pictures;
        const std::uint64_t person = people::identity_seed(split, static_cast<std::uint64_t>(index));
        rows.add(scene_of(options, person, random.bits(), i % pictures + 1 < pictures), index, crop_size, expand,
                 ReferenceChanges::off(), random);
    }
    return rows.batch();
}

double top_1(const at::Tensor& embeddings, std::int64_t people, std::int64_t pictures) {
    const at::Tensor unit = unit_rows(embeddings).view({people, pictures, -1});
    const at::Tensor asking = unit.select(1, pictures - 1);
    const at::Tensor known = unit_rows(unit.narrow(1, 0, pictures - 1).mean(1));
    const at::Tensor best = at::matmul(asking, known.t()).argmax(1);
    return best.eq(at::arange(people, best.options())).to(at::kFloat).mean().item<double>();
}

at::Tensor margin_loss(const at::Tensor& embeddings, const at::Tensor& weights, const at::Tensor& classes, double scale,
                       double margin) {
    const at::Tensor cosines = at::matmul(unit_rows(embeddings), unit_rows(weights).t());
    const at::Tensor taken = at::zeros_like(cosines).scatter(1, classes.unsqueeze(1), margin);
    return at::cross_entropy_loss((cosines - taken).to(at::kFloat) * scale, classes);
}

at::Tensor code_loss(const at::Tensor& predicted, const at::Tensor& codes) {
    at::Tensor loss = at::zeros({}, predicted.options().dtype(at::kFloat));
    for (const people::CodeBlock& block : people::identity_code_blocks()) {
        const at::Tensor guess = predicted.narrow(1, block.begin, block.size).to(at::kFloat);
        const at::Tensor truth = codes.narrow(1, block.begin, block.size);
        if (block.size == people::kTraits) {
            loss = loss + 3.0 * (guess - truth).square().mean();
            continue;
        }
        // What nobody sees is all zero and adds nothing.
        loss = loss - (at::log_softmax(guess, 1) * truth).sum(1).mean();
    }
    return loss / static_cast<double>(people::identity_code_blocks().size());
}

}  // namespace mirror::engine::training
