// Starts Swagger UI or Redoc on the page that loaded it. What it needs stands in data attributes, so that the page has no
// inline script and works under a strict Content-Security-Policy.
"use strict";

(() => {
  const swagger = document.getElementById("swagger-ui");
  if (swagger) {
    const { schemaUrl, csrfHeader, csrfToken } = swagger.dataset;
    SwaggerUIBundle({
      url: schemaUrl,
      domNode: swagger,
      deepLinking: true,
      persistAuthorization: false,
      // By default the address of the schema is sent to a third party for validation.
      validatorUrl: null,
      requestInterceptor: (request) => {
        const sameOrigin = new URL(request.url, document.baseURI).origin === window.location.origin;
        if (sameOrigin && !["GET", "HEAD", undefined].includes(request.method)) {
          request.headers[csrfHeader] = csrfToken;
        }
        return request;
      },
    });
  }

  const redoc = document.getElementById("redoc");
  if (redoc) {
    Redoc.init(redoc.dataset.schemaUrl, { disableSearch: false }, redoc);
  }
})();
