"""What no single convolution can do, one setting each: pictures (float32, 0..1) in and out."""

import cv2
import numpy as np

from kernel_demo.imaging import operators
from kernel_demo.imaging.catalogue import gaussian
from kernel_demo.imaging.filtering import correlate, to_uint8


def linear_light(image, kernel):
    """Filter the light, not the stored values."""
    light = operators.to_light(image).astype(image.dtype)
    return operators.from_light(correlate(light, kernel))


def equalise(image):
    """Histogram equalisation in 256 levels, each channel by itself (cv2.equalizeHist)."""
    planes = np.moveaxis(np.atleast_3d(to_uint8(image)), -1, 0)
    equal = [cv2.equalizeHist(np.ascontiguousarray(plane)) for plane in planes]
    return np.stack(equal, axis=-1).reshape(image.shape).astype(np.float32) / 255


def rotate(image, angle=5.0):
    """Turned about its centre by degrees, counter-clockwise; bilinear, the rim reflected."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    return cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT_101)


OPERATIONS = {
    "magnitude": operators.magnitude,
    "absolute": operators.absolute,
    "clipped": operators.clipped,
    "median": operators.median,
    "threshold_unsharp": operators.threshold_unsharp,
    "bilateral": operators.bilateral,
    "dilate": operators.dilate,
    "gamma": lambda image: np.clip(image, 0, 1) ** (1 / 2.2),
    "linear_light": lambda image: linear_light(image, gaussian(5)),
    "threshold": lambda image: (image >= 0.5).astype(image.dtype),
    "equalise": equalise,
    "varying_blur": operators.varying_blur,
    "rotate": rotate,
    "jpeg": operators.jpeg,
}
