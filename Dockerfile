# An edge server with its live page. docs/install.md, "In a container", also says how to pin the images by their digests.
FROM python:3.13.14-bookworm AS build
WORKDIR /source
COPY . .
# A package is taken only if it has the digest of the lock, and none is built in an environment that loads others.
RUN pip install --no-cache-dir --require-hashes --no-deps -r locks/build.txt \
 && pip wheel --no-cache-dir --require-hashes --no-deps --no-build-isolation --wheel-dir /wheels -r locks/container.txt \
 && pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.13.14-slim-bookworm
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --no-deps /wheels/*.whl \
 && useradd --create-home --home-dir /data --shell /usr/sbin/nologin --groups dialout --uid 10001 pnc
USER 10001
WORKDIR /data
VOLUME /data
ENV PYTHONUNBUFFERED=1
EXPOSE 8800
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8800/health', timeout=4)"]
ENTRYPOINT ["pnc-recv", "--web", "0.0.0.0:8800", "--save", "pictures"]
