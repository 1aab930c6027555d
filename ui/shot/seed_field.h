#pragma once

// The seed: any whole number below 2^64, a die that throws another, a lock that keeps it from run to run.

#include <QWidget>
#include <cstdint>

class QLineEdit;

namespace mirror::ui {

class IconButton;

class SeedField : public QWidget {
    Q_OBJECT

public:
    explicit SeedField(QWidget* parent = nullptr);

    std::uint64_t seed() const { return seed_; }
    void setSeed(std::uint64_t seed);
    bool isLocked() const;
    void setLocked(bool locked);
    // Takes over what is being typed.
    void commit();
    void roll();
    QLineEdit& field() const { return *field_; }

Q_SIGNALS:
    void changed();

private:
    QLineEdit* field_;
    IconButton* die_;
    IconButton* lock_;
    std::uint64_t seed_ = 0;
};

}  // namespace mirror::ui
