#include "ui/shot/shot_panel.h"

#include <QComboBox>
#include <QGridLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>

#include "engine/core/limits.h"
#include "ui/shot/model_choice.h"
#include "ui/shot/prompt_edit.h"
#include "ui/shot/seed_field.h"
#include "ui/shot/size_field.h"
#include "ui/style/theme.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/number_slider.h"

namespace mirror::ui {

namespace {

constexpr int kMargin = 12;
constexpr int kLabelWidth = 58;
constexpr int kPromptHeight = 122;
constexpr int kNegativeHeight = 64;

QLabel* fieldLabel(const QString& text, QWidget* buddy) {
    QLabel* label = makeLabel(text, Ink::Dim, TextSize::Text);
    label->setFixedWidth(kLabelWidth);
    label->setBuddy(buddy);
    return label;
}

}  // namespace

ShotPanel::ShotPanel(ModelChoice& model, QWidget* parent) : Panel(tr("Shot"), parent), model_(model) {
    header().addStretch();
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(makeForm());
    body().addWidget(scroll, 1);
    connectFields();
    refreshModel();
    refreshHints();
}

QWidget* ShotPanel::makeForm() {
    auto* form = new QWidget;
    auto* column = new QVBoxLayout(form);
    column->setContentsMargins(kMargin, 12, kMargin, kMargin);
    column->setSpacing(6);
    addPrompt(*column);
    column->addSpacing(8);
    addIdentity(*column);
    column->addSpacing(8);
    addPicture(*column);
    column->addSpacing(8);
    addModel(*column);
    column->addSpacing(10);
    column->addWidget(makeFooter());
    column->addStretch();
    return form;
}

void ShotPanel::addPrompt(QVBoxLayout& column) {
    column.addWidget(makeLabel(tr("Prompt"), Ink::Dim));
    prompt_ = new PromptEdit(tr("Prompt"));
    prompt_->setMarked();
    prompt_->setFixedHeight(kPromptHeight);
    prompt_->setPlaceholderText(tr("A woman img in a spacesuit turns her head toward the window, soft film grain"));
    column.addWidget(prompt_);
    advice_ = makeLabel({}, Ink::Warn, TextSize::Text);
    advice_->setWordWrap(true);
    column.addWidget(advice_);

    negativeChip_ = new QPushButton(tr("Negative…"));
    negativeChip_->setProperty("role", "chip");
    negativeChip_->setCheckable(true);
    negativeChip_->setToolTip(tr("Say what must not be in the picture"));
    auto* chips = new QHBoxLayout;
    chips->addWidget(negativeChip_);
    chips->addStretch();
    column.addLayout(chips);
    negative_ = new PromptEdit(tr("Negative prompt"));
    negative_->setFixedHeight(kNegativeHeight);
    negative_->setPlaceholderText(tr("What must not be in the picture"));
    negative_->hide();
    column.addWidget(negative_);
}

void ShotPanel::addIdentity(QVBoxLayout& column) {
    column.addWidget(makeLabel(tr("Identity"), Ink::Text));
    strength_ = new NumberSlider(0, limits::kMaxIdentityStrength, 2, tr("Identity strength"));
    strength_->setToolTip(tr("How strongly the person is kept: 0 is the model alone, 1 is as it was trained"));
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(fieldLabel(tr("Strength"), &strength_->field()));
    row->addWidget(strength_, 1);
    column.addLayout(row);
}

void ShotPanel::addPicture(QVBoxLayout& column) {
    column.addWidget(makeLabel(tr("Picture"), Ink::Text));
    size_ = new SizeField;
    frames_ = new FramesField(8, limits::kMaxFrames, tr("Frames"));
    steps_ = new WholeField(1, limits::kMaxSteps, tr("Steps"));
    guidance_ = new NumberField(0, limits::kMaxGuidance, 1, tr("Guidance"));
    guidance_->setSingleStep(0.5);
    seed_ = new SeedField;
    sampler_ = new QComboBox;
    sampler_->setAccessibleName(tr("Sampler"));
    sampler_->addItem(tr("DPM"), static_cast<int>(SamplerKind::Dpm));
    sampler_->addItem(tr("DDIM"), static_cast<int>(SamplerKind::Ddim));
    length_ = makeLabel({}, Ink::Dim, TextSize::Text);
    length_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);

    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(6);
    grid->setVerticalSpacing(8);
    grid->setColumnStretch(1, 1);
    grid->setColumnStretch(3, 1);
    const auto put = [&](int row, int place, const QString& name, QWidget* field) {
        field->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);  // Both columns are equally wide.
        grid->addWidget(fieldLabel(name, field), row, 2 * place);
        grid->addWidget(field, row, 2 * place + 1);
    };
    put(0, 0, tr("Size"), size_);
    put(0, 1, tr("Frames"), frames_);
    put(1, 0, tr("Steps"), steps_);
    put(1, 1, tr("Guidance"), guidance_);
    put(2, 0, tr("Sampler"), sampler_);
    grid->addWidget(length_, 2, 2, 1, 2);
    grid->addWidget(fieldLabel(tr("Seed"), &seed_->field()), 3, 0);
    grid->addWidget(seed_, 3, 1, 1, 3);
    column.addLayout(grid);
    apply({});
    seed_->roll();
}

void ShotPanel::addModel(QVBoxLayout& column) {
    column.addWidget(makeLabel(tr("Model"), Ink::Text));
    modelName_ = new ElidedLabel(Qt::ElideMiddle);
    modelName_->setFont(textFont());
    auto* choose = new QPushButton(tr("Choose…"));
    choose->setAccessibleName(tr("Choose a model folder"));
    connect(choose, &QPushButton::clicked, this, &ShotPanel::modelWanted);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(modelName_, 1);
    row->addWidget(choose);
    column.addLayout(row);
    modelFacts_ = makeLabel({}, Ink::Dim, TextSize::Text);
    modelFacts_->setWordWrap(true);
    column.addWidget(modelFacts_);
}

QWidget* ShotPanel::makeFooter() {
    auto* footer = new QWidget;
    auto* column = new QVBoxLayout(footer);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    generate_ = new QPushButton(tr("Generate  Ctrl ↵"));
    generate_->setProperty("role", "main");
    QFont font = textFont();
    font.setWeight(QFont::DemiBold);
    generate_->setFont(font);
    connect(generate_, &QPushButton::clicked, this, &ShotPanel::generateWanted);
    objection_ = makeLabel({}, Ink::Dim, TextSize::Text);
    objection_->setWordWrap(true);
    column->addWidget(generate_);
    column->addWidget(objection_);
    return footer;
}

void ShotPanel::connectFields() {
    const auto tell = [this] {
        refreshHints();
        Q_EMIT changed();
    };
    connect(prompt_, &QTextEdit::textChanged, this, tell);
    connect(negative_, &QTextEdit::textChanged, this, tell);
    connect(negativeChip_, &QPushButton::toggled, this, [this](bool open) {
        negative_->setVisible(open || !negative_->toPlainText().isEmpty());
        if (open) negative_->setFocus();
    });
    connect(strength_, &NumberSlider::valueChanged, this, tell);
    connect(size_, &SizeField::changed, this, tell);
    connect(frames_, &QSpinBox::valueChanged, this, tell);
    connect(steps_, &QSpinBox::valueChanged, this, tell);
    connect(guidance_, &QDoubleSpinBox::valueChanged, this, tell);
    connect(seed_, &SeedField::changed, this, tell);
    connect(sampler_, &QComboBox::currentIndexChanged, this, tell);
    connect(&model_, &ModelChoice::changed, this, [this] {
        refreshModel();
        refreshHints();
        Q_EMIT changed();
    });
}

ShotDraft ShotPanel::draft() const {
    for (QAbstractSpinBox* field : {static_cast<QAbstractSpinBox*>(frames_), static_cast<QAbstractSpinBox*>(steps_),
                                    static_cast<QAbstractSpinBox*>(guidance_)}) {
        field->interpretText();
    }
    strength_->field().interpretText();
    ShotDraft draft;
    draft.prompt = prompt_->toPlainText();
    draft.negative = negative_->toPlainText();
    draft.strength = strength_->value();
    draft.size = size_->size();
    draft.frames = frames_->value();
    draft.steps = steps_->value();
    draft.guidance = guidance_->value();
    draft.seed = seed_->seed();
    draft.sampler = static_cast<SamplerKind>(sampler_->currentData().toInt());
    return draft;
}

void ShotPanel::apply(const ShotDraft& draft) {
    prompt_->setPlainText(draft.prompt);
    negative_->setPlainText(draft.negative);
    negative_->setVisible(!draft.negative.isEmpty());
    strength_->setValue(draft.strength);
    size_->setSize(draft.size.value_or(QSize(720, 480)));
    frames_->setValue(draft.frames);
    steps_->setValue(draft.steps);
    guidance_->setValue(draft.guidance);
    seed_->setSeed(draft.seed);
    sampler_->setCurrentIndex(sampler_->findData(static_cast<int>(draft.sampler)));
}

void ShotPanel::refreshModel() {
    const auto& card = model_.card();
    modelName_->setText(card ? card->name : model_.folder().isEmpty() ? tr("No model chosen") : model_.folder());
    setInk(*modelName_, card ? Ink::Text : Ink::Dim);
    modelFacts_->setVisible(card.has_value());
    if (!card) return;
    const QString size = textOf(QSize(card->native.width, card->native.height));
    modelFacts_->setText(card->randomWeights ? tr("Random weights: the pictures will be noise. Made for %1, %2 frames.")
                                                   .arg(size)
                                                   .arg(card->native.frames)
                                             : tr("Made for %1, %2 frames.").arg(size).arg(card->native.frames));
    setInk(*modelFacts_, card->randomWeights ? Ink::Warn : Ink::Dim);
    if (shownModel_ == card->folder) return;
    shownModel_ = card->folder;
    frames_->setStride(card->frameStride);
    frames_->setValue(card->native.frames);
    size_->setSize({card->native.width, card->native.height});
    steps_->setValue(card->steps);
    guidance_->setValue(card->guidance);
    sampler_->setCurrentIndex(sampler_->findData(static_cast<int>(card->sampler)));
}

void ShotPanel::refreshHints() {
    const QString advice = ShotRules::advice(prompt_->toPlainText());
    advice_->setText(advice);
    advice_->setVisible(!advice.isEmpty());
    const FrameRate rate = model_.card() ? model_.card()->native.rate : FrameRate{};
    const double fps = double(rate.numerator) / rate.denominator;
    length_->setText(
        tr("%1 s at %2 fps")
            .arg(QLocale::c().toString(frames_->value() / fps, 'f', 1), QLocale::c().toString(fps, 'g', 3)));
}

void ShotPanel::setObjection(const QString& sentence) {
    generate_->setEnabled(sentence.isEmpty());
    generate_->setToolTip(sentence);
    objection_->setText(sentence);
}

QString ShotPanel::objection() const { return objection_->text(); }

}  // namespace mirror::ui
