# An edge server with its live page: docs/container.md.
FROM python:3.13-bookworm AS build
WORKDIR /source
COPY . .
# The versions are those that CI uses.
RUN sed -e '/--hash/d' -e 's/ \\$//' locks/packages.txt >/constraints.txt \
 && pip wheel --no-cache-dir --constraint /constraints.txt --wheel-dir /wheels '.[edge,web,sealed]'

FROM python:3.13-slim-bookworm
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
