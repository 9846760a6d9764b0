package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerAuthorizationDetails(*service.Registry, *Service) {}
