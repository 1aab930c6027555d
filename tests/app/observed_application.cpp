#include "tests/app/observed_application.h"

#include <QThread>

#if defined(__SANITIZE_THREAD__)

#include <sanitizer/tsan_interface.h>

// The linker sends the calls of our object files here (--wrap) and ours below to Qt.
// NOLINTBEGIN(bugprone-reserved-identifier): the linker prescribes these names.
extern "C" {
void __real__ZN11QMetaObject8activateEP7QObjectPKS_iPPv(QObject*, const QMetaObject*, int, void**);
bool __real__ZN11QMetaObject16invokeMethodImplEP7QObjectPN9QtPrivate15QSlotObjectBaseEN2Qt14ConnectionTypeEPv(
    QObject*, QtPrivate::QSlotObjectBase*, Qt::ConnectionType, void*);
bool __real__ZN7QThread4waitE14QDeadlineTimer(QThread*, QDeadlineTimer);
}

namespace {

char order;  // Its address stands for all of Qt's event queues together.

void mark_what_was_done() { __tsan_release(&order); }
void see_what_was_done() { __tsan_acquire(&order); }

}  // namespace

extern "C" {

void __wrap__ZN11QMetaObject8activateEP7QObjectPKS_iPPv(QObject* sender, const QMetaObject* type, int signal,
                                                        void** arguments) {
    mark_what_was_done();
    __real__ZN11QMetaObject8activateEP7QObjectPKS_iPPv(sender, type, signal, arguments);
}

bool __wrap__ZN11QMetaObject16invokeMethodImplEP7QObjectPN9QtPrivate15QSlotObjectBaseEN2Qt14ConnectionTypeEPv(
    QObject* receiver, QtPrivate::QSlotObjectBase* slot, Qt::ConnectionType type, void* result) {
    mark_what_was_done();
    return __real__ZN11QMetaObject16invokeMethodImplEP7QObjectPN9QtPrivate15QSlotObjectBaseEN2Qt14ConnectionTypeEPv(
        receiver, slot, type, result);
}

bool __wrap__ZN7QThread4waitE14QDeadlineTimer(QThread* thread, QDeadlineTimer deadline) {
    const bool ended = __real__ZN7QThread4waitE14QDeadlineTimer(thread, deadline);
    see_what_was_done();
    return ended;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)

#else

namespace {

void mark_what_was_done() {}
void see_what_was_done() {}

}  // namespace

#endif

namespace mirror::app {

bool ObservedApplication::notify(QObject* receiver, QEvent* event) {
    see_what_was_done();
    const bool taken = QCoreApplication::notify(receiver, event);
    mark_what_was_done();  // For those who wait for the thread's end.
    return taken;
}

}  // namespace mirror::app
